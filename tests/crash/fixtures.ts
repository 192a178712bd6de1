import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Templates of the crash suite: agents that the fake provider plays by what stands in their prompt. */
export const entries = `
kind: schema
id: crash:note@1
schema: { $schema: "https://json-schema.org/draft/2020-12/schema", type: object, required: [text], properties: { text: { type: string } } }
---
kind: persona
id: crash:writer@1
model: { provider: openrouter, name: deepseek/deepseek-chat, maxOutputTokens: 300, maxTurns: 40 }
capabilities: [write]
instructions: Write a note.
tools: [list_dir, read_file, complete]
---
kind: template
id: crash:one@1
title: One agent
input: { type: object, required: [request], properties: { request: { type: string } } }
roles: { writer: { persona: "crash:writer@1" } }
artifacts: { note: { schema: "crash:note@1" } }
phases:
  - id: write
    agent: { role: writer, prompt: "\${{ input.request }}", produces: note }
output: "\${{ artifacts.note }}"
---
kind: template
id: crash:gated@1
title: An agent, a gate, an agent
input: { type: object, required: [request], properties: { request: { type: string } } }
roles: { writer: { persona: "crash:writer@1" } }
artifacts: { note: { schema: "crash:note@1" }, second: { schema: "crash:note@1" } }
phases:
  - id: write
    agent: { role: writer, prompt: "\${{ input.request }}", produces: note }
  - id: approve
    gate: { title: "Go on?", subject: [note], allowChanges: write }
  - id: again
    agent: { role: writer, prompt: "\${{ input.request }}", inputs: [note], produces: second }
output: "\${{ artifacts.second }}"
---
kind: template
id: crash:branches@1
title: Three agents side by side
input: { type: object, required: [request], properties: { request: { type: string } } }
roles: { writer: { persona: "crash:writer@1" } }
artifacts: { a: { schema: "crash:note@1" }, b: { schema: "crash:note@1" }, c: { schema: "crash:note@1" } }
phases:
  - id: all
    parallel:
      branches:
        - [{ id: one, agent: { role: writer, prompt: "\${{ input.request }}", produces: a } }]
        - [{ id: two, agent: { role: writer, prompt: "\${{ input.request }}", produces: b } }]
        - [{ id: three, agent: { role: writer, prompt: "\${{ input.request }}", produces: c } }]
output: "\${{ phases.all.output }}"
---
kind: template
id: crash:items@1
title: An agent for each item
input: { type: object, required: [request], properties: { request: { type: string } } }
roles: { writer: { persona: "crash:writer@1" } }
artifacts: { note: { schema: "crash:note@1" } }
phases:
  - id: each
    map:
      over: [0, 1, 2, 3, 4, 5, 6, 7]
      concurrency: 3
      phases: [{ id: write, agent: { role: writer, prompt: "\${{ input.request }}", produces: note } }]
output: "\${{ phases.each.output }}"
---
kind: template
id: crash:nap@1
title: A short wait
phases: [{ id: nap, wait: { for: PT0.01S } }]
`

/** What an agent is told: so many turns with a tool, streamed in so many pieces. */
export function part({ turns = 3, chunks = 8, chunkDelayMs = 4 } = {}): { request: string } {
  return {
    request: `[turns=${turns}] [chunks=${chunks}] [chunkDelayMs=${chunkDelayMs}] [[complete:{"text":"done"}]]`,
  }
}

/** A small repository to work on. */
export function makeRepository(folder: string): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'README.md'), '# A repository\n')
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@example.com', ...args], {
      cwd: folder,
      stdio: 'ignore',
    })
  git('init', '--quiet')
  git('add', '.')
  git('commit', '--quiet', '-m', 'Begin')
}
