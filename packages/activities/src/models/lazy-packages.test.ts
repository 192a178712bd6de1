import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'

const LAZY = [
  '@anthropic-ai/sdk',
  '@google/genai',
  '@modelcontextprotocol/sdk/client/index.js',
  'ollama',
  'openai',
]

/** Says, in a process of its own, which of them were loaded with the adapters, and which after calls to some of them. */
const script = `
  import { registerHooks } from 'node:module'
  const seen = new Set()
  registerHooks({ resolve(specifier, context, next) { seen.add(specifier); return next(specifier, context) } })
  const loaded = () => ${JSON.stringify(LAZY)}.filter((name) => seen.has(name))
  const { anthropicModel, googleModel, ollamaModel, openAiModel, openRouterModel } = await import(${JSON.stringify(new URL('../index.ts', import.meta.url).href)})
  const nobody = 'http://127.0.0.1:9'
  const adapters = [anthropicModel({ apiKey: 'k', baseURL: nobody }), ollamaModel({ host: nobody })]
  googleModel({ apiKey: 'k' })
  openRouterModel({ apiKey: 'k' })
  adapters.push(openAiModel({ apiKey: 'k', baseURL: nobody }))
  const atFirst = loaded()
  const request = { model: { provider: 'x', name: 'x' }, messages: [{ role: 'user', content: 'x' }], tools: [], maxOutputTokens: 1, turn: 1 }
  for (const adapter of adapters)
    try { for await (const _ of adapter.stream(request, new AbortController().signal)); } catch {}
  console.log(JSON.stringify({ atFirst, called: loaded() }))
`

test('packages of providers are loaded with their first call, that of tool servers with the first server: none with the worker', () => {
  const text = execFileSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' })
  expect(JSON.parse(text)).toEqual({ atFirst: [], called: ['@anthropic-ai/sdk', 'ollama', 'openai'] })
})
