import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, inject } from 'vitest'
import { type ApiProcess, startApi } from '../support/api-process.ts'
import { type CommandLine, type CommandOptions, type Ended, startCommand } from '../support/command-line.ts'
import { type Stack, useStack } from '../support/stack.ts'

const NOTE = '{"title":"A note","size":1}'

/** What the tests of the command line run. */
const ENTRIES = `
kind: template
id: asks@1
title: Work, then a question
input: { type: object, properties: { n: { type: integer }, text: { type: string } } }
roles: { worker: { persona: agent@1 } }
artifacts: { note: { schema: note@1 } }
budget: { limitMicroUsd: 500000 }
phases:
  - { id: work, agent: { role: worker, prompt: 'Do it. [turns=2] [[complete:${NOTE}]]', produces: note } }
  - { id: approve, gate: { title: Is the note good?, subject: [note], deadline: P3D, onDeadline: { then: reject } } }
  - { id: after, agent: { role: worker, prompt: 'Go on. [turns=1]' } }
---
kind: template
id: works@1
title: Work alone
roles: { worker: { persona: agent@1 } }
artifacts: { note: { schema: note@1 } }
phases:
  - { id: work, agent: { role: worker, prompt: 'Do it. [turns=1] [[complete:${NOTE}]]', produces: note } }
---
kind: template
id: reviewed@1
title: Work that may have to be done again
roles: { worker: { persona: agent@1 } }
artifacts: { note: { schema: note@1 } }
phases:
  - { id: work, agent: { role: worker, prompt: 'Do it. [turns=1] [[complete:${NOTE}]]', produces: note } }
  - { id: approve, gate: { title: Is the note good?, subject: [note], allowChanges: work } }
---
kind: template
id: fails@1
title: Work that comes to nothing
roles: { worker: { persona: player@1 } }
phases:
  - { id: work, agent: { role: worker, prompt: Work. } }
---
kind: template
id: waits@1
title: Waits for a signal
phases:
  - { id: signal, wait: { signal: go } }
---
${JSON.stringify({
  kind: 'persona',
  id: 'player@1',
  model: {
    provider: 'scripted',
    name: 'player',
    script: { turns: [{ error: { code: 'overloaded', message: 'Too much to do.', kind: 'UNAVAILABLE' } }] },
  },
})}
---
kind: persona
id: agent@1
model: { provider: openrouter, name: deepseek/deepseek-chat, maxOutputTokens: 500 }
instructions: Do the work.
tools: [list_dir, complete]
---
kind: schema
id: note@1
schema: { type: object, required: [title, size], properties: { title: { type: string }, size: { type: integer } } }
`

export interface CommandStack {
  readonly stack: Stack
  /** Where the API is. */
  readonly url: string
  /** Ends the API; what it answers starts it again at the same address. */
  stopApi(): Promise<() => Promise<void>>
  /** A command's environment: it finds the API by it. */
  readonly env: Record<string, string>
  start(args: readonly string[], options?: CommandOptions): CommandLine
  run(...args: string[]): Promise<Ended>
  /** Runs with --json and answers the one document. */
  json<Document>(...args: string[]): Promise<Document>
}

/** A stack with an API and templates of its own, and the command line on it. */
export function useCommandStack(): CommandStack {
  const stack = useStack()
  let api: ApiProcess
  let folder: string
  const start = (env: Record<string, string> = {}) =>
    startApi({
      DATABASE_URL: stack.databaseUrl,
      TEMPORAL_ADDRESS: inject('temporalAddress'),
      TEMPORAL_NAMESPACE: stack.client.options.namespace,
      DEVFLOW_ENTRIES: folder,
      DEVFLOW_WORKSPACE_ROOTS: tmpdir(),
      OPENROUTER_API_KEY: 'sk-or-v1-test-key',
      ...env,
    })
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'devflow-cli-'))
    await writeFile(join(folder, 'entries.yaml'), ENTRIES)
    api = await start()
  })
  afterAll(async () => {
    await api.stop()
    await rm(folder, { recursive: true, force: true })
  })
  const commands: CommandStack = {
    stack,
    get url() {
      return api.url
    },
    stopApi: async () => {
      const { port } = new URL(api.url)
      await api.stop()
      return async () => {
        api = await start({ DEVFLOW_PORT: port })
      }
    },
    get env() {
      return { DEVFLOW_URL: api.url }
    },
    start: (args, options) =>
      startCommand(args, { ...options, env: { DEVFLOW_URL: api.url, ...options?.env } }),
    run: (...args) => commands.start(args).ended,
    json: async <Document>(...args: string[]) => {
      const { stdout, stderr, code } = await commands.run(...args, '--json')
      if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${stderr}`)
      return JSON.parse(stdout) as Document
    },
  }
  return commands
}
