import { OpenAPIHono } from '@hono/zod-openapi'
import { Documentation } from './documentation.ts'
import type { Api } from './operation.ts'
import { SESSION_COOKIE } from './session-cookie.ts'

type Document = ReturnType<OpenAPIHono['getOpenAPI31Document']>

const DESCRIPTION = `Runs of agent workflows that must not be lost.

JSON in camelCase; times in ISO 8601, UTC; durations in ISO 8601. Money is in micro-dollars, in fields that end in \`MicroUsd\`. Ids are opaque. Every list is \`{items, nextCursor?}\`. Additions are free: ignore fields and event types you do not know.

Every refusal is \`application/problem+json\` with a \`kind\`, which says what you can do, and a stable \`code\`, which says what happened. A wrong method is 405 with \`Allow\`, an unknown path 404.

On a loopback address the caller is the owner and needs no token; on any other a token is required. A token has scopes: what an operation takes stands in its \`security\`.`

const TAGS = {
  runs: 'A run is one execution of a template on an input.',
  commands:
    'What moves a run that is under way. Each is committed before it is answered, with Temporal away too.',
  events: 'The log of a run, and streams of it.',
  topics: 'Events from outside, by topic: published, read, followed.',
  webhooks: 'Addresses told of what happens in runs.',
  gates: 'Where a run waits for people to decide.',
  artifacts: 'What phases made, and the report.',
  ledger: 'Model calls with their money, and tool calls.',
  money: 'What runs may spend, and what they have spent.',
  registry: 'Templates, personas and schemas.',
  access: 'Who is calling, and what they may.',
  health: 'For operators and their machines.',
  docs: 'This document, and the manual.',
}

/** The OpenAPI 3.1 document of an API whose operations are all there. */
export function openApiDocument(api: Api): Document {
  const writer = new OpenAPIHono()
  const documentation = new Documentation(writer.openAPIRegistry)
  for (const operation of api.documented) documentation.add(operation)
  const document = writer.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Devflow',
      version: '1',
      description: DESCRIPTION,
      license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
    },
    servers: [{ url: '/', description: 'Where this document was read.' }],
    security: [{}, { token: [] }, { session: [] }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
  })
  const used = new Set(Object.values(document.paths ?? {}).flatMap(tagsOf))
  return {
    ...document,
    tags: document.tags?.filter(({ name }) => used.has(name)),
    components: {
      ...document.components,
      headers: {
        RequestId: {
          description: 'Names this request in the log of the API; the `traceId` of a problem.',
          schema: { type: 'string' },
        },
      },
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'Not needed on a loopback address.' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: SESSION_COOKIE,
          description: 'Of a browser, from `POST /v1/session`.',
        },
      },
    },
  }
}

const tagsOf = (item: object): string[] =>
  Object.values(item).flatMap((operation: { tags?: string[] }) => operation.tags ?? [])
