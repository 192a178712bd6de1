import { randomUUIDv7 } from 'node:crypto'
import { type Answer, GroupWriter, type Line, migrate, takeSession } from '@devflow/db'
import pg from 'pg'
import type { Bench } from '../bench.ts'
import { median, type Row, short } from '../figures.ts'

const TURNS = 100
const CHUNKS_AT_ONCE = 20

/** The write path alone: one process' group writer, at 1, 16 and 64 sessions, without Temporal and the session loop. */
export async function append(bench: Bench): Promise<Row[]> {
  const url = await bench.database('append')
  await migrate(url)
  const pool = new pg.Pool({ connectionString: url, max: 4 })
  const writer = new GroupWriter(url, pool)
  const rate = async (sessions: number, work: Work, each: number) => {
    const rates: number[] = []
    for (let round = 0; round <= bench.rounds; round++) {
      const ms = await timed(writer, pool, sessions, work)
      if (round > 0) rates.push(((sessions * TURNS * each) / ms) * 1_000)
    }
    return short(median(rates))
  }
  const row = async (scenario: string, work: Work, each: number): Promise<Row> => {
    const figures: string[] = []
    for (const sessions of [1, 16, 64]) figures.push(await rate(sessions, work, each))
    return { scenario: `${scenario}, 1, 16 and 64 sessions`, devflow: figures.join(', ') }
  }
  try {
    return [
      await row('group writer alone, steps/s', appendTurn, 2),
      await row(`group writer alone, chunks/s in pieces of ${CHUNKS_AT_ONCE}`, appendChunks, CHUNKS_AT_ONCE),
    ]
  } finally {
    await writer.close()
    await pool.end()
  }
}

type Work = (append: (lines: Line[], reserves: boolean) => Promise<Answer>, turn: number) => Promise<unknown>

const at = (turn: number) => ({ phase: 'p', attempt: 1, turn })

/** What a turn with one quick tool writes: the next turn's reservation shares its commit. */
const appendTurn: Work = (append, turn) => {
  const event = (
    type: Extract<Line, { data?: object }>['type'],
    key: string,
    data: Record<string, unknown>,
  ) => ({
    type,
    key: `p/1/${turn}/${key}`,
    ...at(turn),
    data,
  })
  const chunk = (n: number, kind: 'tool_use' | 'done', text?: string): Line => ({
    type: 'chunk',
    key: `p/1/${turn}/1/${n}`,
    ...at(turn),
    delivery: 1,
    kind,
    text,
  })
  const toolCall = { id: 'c', name: 'list_dir' }
  const cost = { costMicroUsd: 0, costSource: 'provider', inputTokens: 100, outputTokens: 10 }
  const call = { call: 1, persona: 'p@1', provider: 'scripted', model: 'm' }
  return Promise.all([
    append(
      [
        event('turn.started', 'started', {}),
        event('call.reserved', 'call-1/reserved', { ...call, reservedMicroUsd: 0, reservedTokens: 200 }),
      ],
      true,
    ),
    append(
      [
        chunk(1, 'tool_use', 'list_dir'),
        chunk(2, 'tool_use', '{"path":"."}'),
        chunk(3, 'done'),
        event('call.settled', 'call-1/end', { call: 1, status: 'settled', ...cost }),
        event('turn.completed', 'completed', { content: '', toolCalls: [toolCall], finish: 'tool_calls' }),
        event('tool.called', 'tool/c/called', toolCall),
      ],
      false,
    ),
    append(
      [event('tool.completed', 'tool/c/completed', { ...toolCall, ok: true, content: 'README.md' })],
      false,
    ),
  ])
}

const appendChunks: Work = (append, turn) =>
  append(
    Array.from({ length: CHUNKS_AT_ONCE }, (_, n) => ({
      type: 'chunk',
      key: `p/1/${turn}/1/${n}`,
      ...at(turn),
      delivery: 1,
      kind: 'token',
      text: ' and so on',
    })),
    false,
  )

async function timed(writer: GroupWriter, pool: pg.Pool, sessions: number, work: Work): Promise<number> {
  const runs = await Promise.all(Array.from({ length: sessions }, () => newRun(pool)))
  const started = performance.now()
  await Promise.all(
    runs.map(async (run) => {
      const append = async (lines: Line[], reserves: boolean) => {
        const reserve = reserves ? { reserve: { microUsd: 0, tokens: 200 } } : {}
        const answer = await writer.append({ run, session: { id: 'p/1', epoch: 1 }, ...reserve, lines })
        if (answer.verdict !== 'written') throw new Error(`an append was answered ${answer.verdict}`)
        return answer
      }
      for (let turn = 1; turn <= TURNS; turn++) await work(append, turn)
    }),
  )
  return performance.now() - started
}

async function newRun(pool: pg.Pool): Promise<string> {
  const run = randomUUIDv7()
  const phases = [{ id: 'p', kind: 'agent' }]
  const submitted = {
    format: 1,
    template: 'bench@1',
    definitionHash: 'bench',
    input: {},
    labels: {},
    budget: {},
  }
  await pool.query('select devflow.submit($1, $2, $3, $4, $5)', [
    run,
    'default',
    'bench',
    { format: 1, title: 'bench' },
    { ...submitted, actor: 'owner', phases },
  ])
  await takeSession(pool, run, 'p/1')
  return run
}
