import { readFile } from 'node:fs/promises'
import { eventually } from './eventually.ts'
import type { Stack } from './stack.ts'

/** How a worker stood when so many turns were on record. */
interface Sample {
  turn: number
  cpuMs: number
  rssBytes: number
}

export interface LongSession {
  run: string
  turns: number
  compactions: number
  /** CPU of the worker for the turns from one to another, in ms. */
  cpuMs(from: number, to: number): number
  /** The least memory of the worker while these turns were taken: what is left after the garbage is gone. */
  restingBytes(from: number, to: number): number
}

/** Plays one session of so many turns, each with a tool call, in a small context window, and watches its worker. */
export async function playLongSession(stack: Stack, repo: string, turns: number): Promise<LongSession> {
  const prompt = `[turns=${turns - 1}] [tool=read_file {"path":"README.md"}] [chunks=4] [[complete:"looked"]]`
  const run = await stack.submit(
    `
kind: template
id: long@1
roles: { looker: { persona: looker@1 } }
phases:
  - { id: look, agent: { role: looker, prompt: ${JSON.stringify(prompt)} } }
---
kind: persona
id: looker@1
model: { provider: openrouter, name: deepseek/deepseek-chat, maxOutputTokens: 200, maxTurns: 10000, contextWindow: 3000 }
tools: [read_file]
`,
    { workspace: { repo } },
  )
  const samples: Sample[] = []
  const look = async () => {
    const { rows } = await stack.pool.query<{ turn: number; status: string; compactions: number }>(
      `select r.status, (select coalesce(max(m.turn), 0) from devflow.model_calls m where m.run_id = r.id) as turn,
         case when r.ended_at is null then 0 else (select count(*)::int from devflow.run_events e where e.run_id = r.id and e.type = 'context.compacted') end as compactions
       from devflow.runs r where r.id = $1`,
      [run],
    )
    const [row] = rows
    if (!row) throw new Error('the run is gone')
    if (row.turn > (samples.at(-1)?.turn ?? -1))
      samples.push({ turn: row.turn, ...(await processAt(stack.worker.pid)) })
    return row
  }
  const end = await eventually(look, ({ status }) => ['completed', 'failed'].includes(status), {
    patienceMs: turns * 1_000,
  })
  if (end.status !== 'completed')
    throw new Error(`the run is ${end.status}: ${stack.printed().slice(-2_000)}`)
  const at = (turn: number): number => {
    const after = samples.find((sample) => sample.turn >= turn)
    const before = samples.findLast((sample) => sample.turn <= turn)
    if (!after || !before) throw new Error(`nothing was seen about turn ${turn}`)
    if (after.turn === before.turn) return after.cpuMs
    return before.cpuMs + ((after.cpuMs - before.cpuMs) * (turn - before.turn)) / (after.turn - before.turn)
  }
  return {
    run,
    turns: end.turn,
    compactions: end.compactions,
    cpuMs: (from, to) => at(to) - at(from),
    restingBytes: (from, to) =>
      Math.min(...samples.filter(({ turn }) => turn >= from && turn <= to).map(({ rssBytes }) => rssBytes)),
  }
}

/** Linux counts CPU in hundredths of a second, for all threads together. */
async function processAt(pid: number): Promise<{ cpuMs: number; rssBytes: number }> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  // The name may hold blanks: what follows its bracket does not.
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
  const [user = 0, system = 0] = fields.slice(11, 13)
  const [pages = 0] = fields.slice(21, 22)
  return { cpuMs: (user + system) * 10, rssBytes: pages * 4_096 }
}
