import pg from 'pg'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Member } from './append-types.ts'
import { GroupWriter } from './group-writer.ts'
import { type TestDatabase, testDatabase } from './testing.ts'
import { newRun } from './testing-runs.ts'

let database: TestDatabase
let pool: pg.Pool
let run: string

beforeAll(async () => {
  database = await testDatabase()
  pool = new pg.Pool({ connectionString: database.url })
})
beforeEach(async () => {
  run = await newRun(pool)
})
afterAll(async () => {
  await pool.end()
  await database.close()
})

/** A writer whose chunks would wait for longer than any test, and the groups it has sent: how many members each had. */
function patientWriter(): { writer: GroupWriter; groups: number[] } {
  const groups: number[] = []
  const onGroup = (members: number) => groups.push(members)
  return { writer: new GroupWriter(database.url, pool, { chunkPaceMs: 3_600_000, onGroup }), groups }
}

const chunk = (n: number): Member => {
  const place = { phase: 'p', attempt: 1, turn: 1, delivery: 1 }
  return { run, lines: [{ type: 'chunk', key: `c${n}`, ...place, kind: 'token', text: `t${n}` }] }
}
const event: Member['lines'] = [{ type: 'turn.started', key: 'turn' }]
const turnOfTheLoop = () => new Promise((resolve) => setImmediate(resolve))

test('after a silence a chunk goes at once; those that follow wait for each other, until something else comes', async () => {
  const { writer, groups } = patientWriter()
  await writer.append(chunk(1))
  const waiting = [writer.append(chunk(2))]
  for (let n = 0; n < 10; n++) await turnOfTheLoop()
  waiting.push(writer.append(chunk(3)))
  for (let n = 0; n < 10; n++) await turnOfTheLoop()
  expect(groups).toEqual([1])
  const answers = await Promise.all([...waiting, writer.append({ run, lines: event })])
  expect(answers).toEqual([3, 4, 5].map((seq) => ({ verdict: 'written', seq })))
  expect(groups).toEqual([1, 3])
  await writer.close()
})

test('chunks that wait are written before the writer closes', async () => {
  const { writer, groups } = patientWriter()
  await writer.append(chunk(1))
  const waiting = writer.append(chunk(2))
  for (let n = 0; n < 10; n++) await turnOfTheLoop()
  await writer.close()
  expect(await waiting).toEqual({ verdict: 'written', seq: 3 })
  expect(groups).toEqual([1, 1])
})
