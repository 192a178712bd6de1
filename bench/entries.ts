import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Turns with a tool call in each phase of `bench-steps`; the last, which ends the phase, is not counted. */
export const TURNS = 100
export const PHASES = ['one', 'two', 'three']
/** A turn is two steps, both on record: what the model said, and what its tool answered. */
export const STEPS = PHASES.length * TURNS * 2
/** Pieces that `streamer` streams in its only turn. */
export const STREAMED = 4_000

const persona = (id: string, turns: number) => ({
  kind: 'persona',
  id: `${id}@1`,
  title: id,
  capabilities: ['bench'],
  model: {
    provider: 'scripted',
    name: id,
    maxOutputTokens: 64,
    maxTurns: turns + 1,
    script: {
      turns: [
        ...Array.from({ length: turns }, () => ({
          toolCalls: [{ name: 'list_dir', arguments: { path: '.' } }],
        })),
        { reply: 'Done.' },
      ],
    },
  },
  instructions: 'Do as the script says.',
  tools: ['list_dir'],
})

const streamer = {
  ...persona('streamer', 0),
  model: {
    provider: 'scripted',
    name: 'streamer',
    script: {
      turns: [{ reply: 'and so '.repeat(STREAMED), chunks: STREAMED, chunkDelayMs: 1 }],
    },
  },
}

/** Speaks as the provider of the scenario does. */
const clock = {
  ...persona('clock', 0),
  model: { provider: 'openai-compatible', name: 'clock', pricing: { input: 0, output: 0 } },
}

const agent = (id: string) => ({ id, agent: { role: 'worker', prompt: 'Go on.', tools: ['list_dir'] } })

const template = (id: string, phases: object[]) => ({
  kind: 'template',
  id: `${id}@1`,
  title: id,
  input: { type: 'object' },
  roles: { worker: { capabilities: ['bench'] } },
  phases,
})

const ENTRIES = [
  persona('hundred-turns', TURNS),
  persona('one-turn', 0),
  streamer,
  clock,
  template('bench-agents', PHASES.map(agent)),
  template('bench-stream', [agent('stream')]),
  template('bench-gate', [{ id: 'ask', gate: { title: 'Go on?', quorum: 1 } }, agent('after')]),
]

/** Writes the entries that the scenarios run. */
export function writeEntries(folder: string): void {
  mkdirSync(folder, { recursive: true })
  for (const entry of ENTRIES)
    writeFileSync(join(folder, `${entry.id.replace('@', '-')}.yaml`), JSON.stringify(entry, null, 2))
}
