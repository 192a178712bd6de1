import pg from 'pg'
import type { Bench } from '../bench.ts'
import { cpuMs } from '../cpu.ts'
import { STREAMED } from '../entries.ts'
import { judged, type Row, short } from '../figures.ts'
import { type Side, sideBySide } from '../side-by-side.ts'
import { expectCompleted, type Stack } from '../stack.ts'

const SESSIONS = 64
/** Each of DBOS' takes a round trip of its own: fewer of them say as much. */
const DBOS_EACH = 100
const LEAST_PER_SECOND = 26_000
const LEAST_RATIO = 10

/**
 * Streamed pieces on record per second: sessions whose scripted model says a piece a millisecond, through session loop,
 * pump and group writer, from the submissions to the end of the last run; beside workflows that `writeStream` as fast
 * as they can, on the same Postgres.
 */
export async function chunks(bench: Bench): Promise<Row[]> {
  const stack = await bench.stack()
  const sides = [devflow(stack)]
  const peer = await bench.peer('dbos')
  if (peer)
    sides.push({
      name: 'dbos',
      play: () => peer.play({ flows: SESSIONS, steps: DBOS_EACH, atOnce: SESSIONS, streams: true }),
      cpuMs: () => peer.cpuMs() + cpuMs([stack.endpoints.pids.postgres]),
      count: SESSIONS * DBOS_EACH,
    })
  const [ours, dbos] = await sideBySide(bench, sides)
  if (!ours) throw new Error('nothing was measured')
  return [
    {
      scenario: `chunks/s on record, ${SESSIONS} sessions that stream a piece a millisecond`,
      devflow: `${short(ours.perSecond)} (${short(ours.cpuMs * 1000)} µs CPU a chunk)`,
      ...(dbos
        ? {
            peers: `dbos \`writeStream\`, ${SESSIONS} workflows: ${short(dbos.perSecond)} (${short(dbos.cpuMs * 1000)} µs): ratio ${dbos.ratio.toFixed(1)}`,
          }
        : {}),
      aim: [
        judged(`${short(LEAST_PER_SECOND)}/s`, ours.perSecond >= LEAST_PER_SECOND),
        dbos ? judged(`${LEAST_RATIO} × dbos`, dbos.ratio >= LEAST_RATIO) : 'dbos is missing',
      ].join(', '),
    },
  ]
}

function devflow(stack: Stack): Side {
  const one = async () => {
    const run = await stack.submit({ template: 'bench-stream@1', persona: 'streamer@1' })
    expectCompleted(await stack.settled(run))
    return run
  }
  return {
    name: 'devflow',
    play: async () => {
      const started = performance.now()
      const runs = await Promise.all(Array.from({ length: SESSIONS }, one))
      const ms = performance.now() - started
      await expectAllOnRecord(stack, runs)
      return ms
    },
    cpuMs: () => stack.cpuMs(),
    count: SESSIONS * STREAMED,
  }
}

/** Every piece is a row of its own: a figure of pieces put together would say something else. */
async function expectAllOnRecord({ endpoints }: Stack, runs: string[]): Promise<void> {
  const client = new pg.Client(endpoints.databaseUrl)
  await client.connect()
  const { rows } = await client.query<{ count: number }>(
    "select count(*)::int as count from devflow.run_chunks where run_id = any($1) and kind = 'token'",
    [runs],
  )
  await client.end()
  const [found] = rows
  if (found?.count !== runs.length * STREAMED)
    throw new Error(`${found?.count} chunks of ${runs.length * STREAMED} are on record`)
}
