import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js'

type Args = Record<string, unknown>

const TOOLS: Record<string, { schema?: object; run: (args: Args) => unknown }> = {
  add: {
    schema: {
      type: 'object',
      required: ['a', 'b'],
      properties: { a: { type: 'number' }, b: { type: 'number' } },
      additionalProperties: false,
    },
    run: ({ a, b }) => Number(a) + Number(b),
  },
  environment: { run: () => JSON.stringify(process.env) },
  read: { run: ({ path }) => attempt(() => readFileSync(String(path), 'utf8')) },
  reach: { run: ({ port }) => reach(Number(port)) },
  much: { run: () => 'much '.repeat(100_000) },
  slow: { run: () => delay(60_000, 'late', { ref: false }) },
  refuse: {
    run: () => {
      throw new Error('I would rather not')
    },
  },
  die: { run: () => process.exit(3) },
  'not-checked': {
    schema: { type: 'object', properties: { a: { $ref: 'https://example.com/s' } } },
    run: () => '',
  },
}

/** A small real server of tools. */
function toolServer(): Server {
  const server = new Server({ name: 'small', version: '1' }, { capabilities: { tools: {} } })
  server.setRequestHandler(ListToolsRequestSchema, async () => ({
    tools: Object.entries(TOOLS).map(([name, { schema }]) => ({
      name,
      description: `The tool ${name}`,
      inputSchema: { type: 'object' as const, ...schema },
    })),
  }))
  server.setRequestHandler(CallToolRequestSchema, async ({ params }) => {
    try {
      const answer = await TOOLS[params.name]?.run(params.arguments ?? {})
      return { content: [{ type: 'text' as const, text: String(answer) }] }
    } catch (error) {
      return { isError: true, content: [{ type: 'text' as const, text: String(error) }] }
    }
  })
  return server
}

/** The same over HTTP, on loopback; it answers only who brings the key. */
export async function startHttpServer(key: string): Promise<{ url: string; close: () => Promise<void> }> {
  const http = createServer(async (request, response) => {
    if (request.url !== '/mcp' || request.headers.authorization !== `Bearer ${key}`) {
      response.writeHead(401).end('SECRET OF ANOTHER SERVICE')
      return
    }
    const transport = new StreamableHTTPServerTransport({})
    await toolServer().connect(transport as never)
    await transport.handleRequest(request, response)
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const address = http.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    close: () =>
      new Promise((resolve) => {
        http.closeAllConnections()
        http.close(() => resolve())
      }),
  }
}

function attempt(read: () => string): string {
  try {
    return read()
  } catch (error) {
    return String(error)
  }
}

function reach(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve('REACHED'))
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(String(error.code)))
  })
}

if (import.meta.main) await toolServer().connect(new StdioServerTransport())
