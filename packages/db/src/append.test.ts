import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import type pg from 'pg'
import { describe, expect, test } from 'vitest'
import type { Answer, Line, Member } from './append-types.ts'
import type { GroupWriter } from './group-writer.ts'
import { beginExecution } from './progress.ts'
import { rebuild } from './rebuild.ts'
import { takeSession } from './sessions.ts'
import { useLog } from './testing-log.ts'
import { appendFrom, newRun, startAppender } from './testing-runs.ts'

let url: string
let pool: pg.Pool
let writer: GroupWriter
useLog((log) => {
  ;({ url, pool, writer } = log)
})

const event = (key: string, data: Record<string, unknown> = {}): Line => ({ type: 'turn.started', key, data })
const chunk = (key: string, text: string): Line => ({
  type: 'chunk',
  key,
  phase: 'p',
  attempt: 1,
  turn: 1,
  delivery: 1,
  kind: 'token',
  text,
})

async function logOf(run: string): Promise<{ seq: number; key: string }[]> {
  const { rows } = await pool.query<{ seq: string; key: string }>(
    'select seq, key from devflow.run_events where run_id = $1 union all select seq, key from devflow.run_chunks where run_id = $1 order by seq',
    [run],
  )
  return rows.map(({ seq, key }) => ({ seq: Number(seq), key }))
}

/** Seq has no gap and ends where the head says. */
async function expectWhole(run: string): Promise<void> {
  const log = await logOf(run)
  expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index + 1))
  const { rows } = await pool.query<{ seq: string }>('select seq from devflow.run_heads where run_id = $1', [
    run,
  ])
  expect(Number(rows[0]?.seq)).toBe(log.length)
}

describe('each member of a group gets its own answer', () => {
  test('written, duplicate within the group, and duplicate of the log', async () => {
    const run = await newRun(pool)
    const [first, twin] = await Promise.all([
      writer.append({ run, lines: [event('a')] }),
      writer.append({ run, lines: [event('a')] }),
    ])
    expect(first).toEqual({ verdict: 'written', seq: 2 })
    expect(twin).toEqual({ verdict: 'duplicate', seq: 2 })
    expect(await writer.append({ run, lines: [event('a')] })).toEqual({ verdict: 'duplicate', seq: 2 })
    await expectWhole(run)
  })

  test.each(['together', 'alone'])(
    'a missing run, fenced sessions, a fenced execution, a healthy one, a duplicate, and what comes after the end: %s',
    async (how) => {
      const run = await newRun(pool)
      await takeSession(pool, run, 'p/1')
      await takeSession(pool, run, 'p/1')
      const [epoch, session] = [(await beginExecution(pool, run, 'x'))?.epoch ?? 0, { id: 'p/1', epoch: 2 }]
      const members: Member[] = [
        { run: randomUUID(), lines: [event('a')] },
        { run, session: { id: 'p/1', epoch: 1 }, lines: [event('b')] },
        { run, session: { id: 'unknown', epoch: 1 }, lines: [event('c')] },
        { run, execution: epoch - 1, lines: [event('d')] },
        { run, session, execution: epoch, lines: [event('e'), chunk('f', 'x')] },
        { run, session, lines: [event('e')] },
      ]
      const answers: Answer[] = []
      if (how === 'together') answers.push(...(await Promise.all(members.map((one) => writer.append(one)))))
      else for (const member of members) answers.push(await writer.append(member))
      const none = { verdict: 'fenced' }
      expect(answers.slice(0, 4)).toEqual([{ verdict: 'no_run' }, none, none, none])
      expect(answers.slice(4)).toMatchObject([{ verdict: 'written', seq: 3 }, { verdict: 'duplicate' }])
      await writer.append({ run, lines: [{ type: 'run.failed', key: 'end', data: {} }] })
      expect(await writer.append({ run, session, lines: [event('late')] })).toEqual(none)
      expect(await writer.append({ run, execution: epoch, lines: [event('late')] })).toEqual(none)
      await expectWhole(run)
    },
  )

  test('NUL and lone surrogates are stored as U+FFFD, a body of 5 MB apart, and nobody is hurt', async () => {
    const run = await newRun(pool)
    const body = 'x'.repeat(5 * 1024 * 1024)
    const answers = await Promise.all([
      writer.append({ run, lines: [event('nul', { text: 'a\u0000b' })] }),
      writer.append({ run, lines: [event('lone', { text: 'a\ud800b', '\udfff': 1 })] }),
      writer.append({ run, lines: [event('big', { text: body })] }),
      writer.append({ run, lines: [chunk('c', '\u0000\ud800')] }),
      writer.append({ run, lines: [event('fine')] }),
    ])
    expect(new Set(answers.map(({ verdict }) => verdict))).toEqual(new Set(['written']))
    const { rows } = await pool.query(
      'select key, data from devflow.run_events where run_id = $1 order by key',
      [run],
    )
    const data = Object.fromEntries(rows.map((row) => [row.key, row.data]))
    expect(data.nul).toEqual({ text: 'a\uFFFDb' })
    expect(data.lone).toEqual({ text: 'a\uFFFDb', '\uFFFD': 1 })
    const blob = await pool.query('select content from devflow.blobs where run_id = $1 and sha256 = $2', [
      run,
      data.big.$blob,
    ])
    expect(JSON.parse(blob.rows[0].content.toString('utf8')).text).toHaveLength(body.length)
    await expectWhole(run)
  })

  test('appends of one run keep their order, also behind a body that is stored apart', async () => {
    const run = await newRun(pool)
    await Promise.all(
      ['x', 'y'.repeat(100_000), 'z', 'y'.repeat(20_000), 'x'].map((text, n) =>
        writer.append({ run, lines: [event(`${n}`, { text })] }),
      ),
    )
    expect((await logOf(run)).map(({ key }) => key)).toEqual(['run/submitted', '0', '1', '2', '3', '4'])
  })

  test('a member that the log refuses fails alone, with its own error', async () => {
    const run = await newRun(pool)
    const poison: Member = {
      run,
      lines: [{ type: 'artifact.accepted', key: 'poison', data: { version: 'no number' } }],
    }
    const answers = await Promise.allSettled([
      ...Array.from({ length: 5 }, (_, index) => writer.append({ run, lines: [event(`before-${index}`)] })),
      writer.append(poison),
      ...Array.from({ length: 5 }, (_, index) => writer.append({ run, lines: [event(`after-${index}`)] })),
    ])
    expect(answers.map(({ status }) => status)).toEqual([
      ...Array(5).fill('fulfilled'),
      'rejected',
      ...Array(5).fill('fulfilled'),
    ])
    expect(answers[5]).toMatchObject({ reason: { kind: 'INVALID', code: 'unstorable' } })
    await expectWhole(run)
  })

  test('the lines of a member stand or fall together', async () => {
    const run = await newRun(pool)
    const answer = writer.append({
      run,
      lines: [event('good'), { type: 'artifact.accepted', key: 'bad', data: { version: 'no number' } }],
    })
    await expect(answer).rejects.toMatchObject({ code: 'unstorable' })
    expect((await logOf(run)).map(({ key }) => key)).toEqual(['run/submitted'])
  })

  test('the log refuses to be changed', async () => {
    const run = await newRun(pool)
    for (const sql of [
      'update devflow.run_events set type = type where run_id = $1',
      'delete from devflow.run_events where run_id = $1',
    ]) {
      await expect(pool.query(sql, [run])).rejects.toThrow(/immutable/)
    }
    await expect(pool.query('truncate devflow.run_events')).rejects.toThrow(/immutable/)
  })
})

describe('reservations', () => {
  const reserve = (run: string, n: number, microUsd: number, tokens = 1): Promise<Answer> =>
    writer.append({
      run,
      reserve: { microUsd, tokens },
      lines: [
        {
          type: 'call.reserved',
          key: `p/1/${n}/call-1/reserved`,
          phase: 'p',
          attempt: 1,
          turn: n,
          data: {
            call: 1,
            persona: 'x',
            provider: 'offline',
            model: 'm',
            reservedMicroUsd: microUsd,
            reservedTokens: tokens,
          },
        },
      ],
    })

  test('of one group are granted in order against a running sum, to the last fraction of a micro-dollar', async () => {
    const run = await newRun(pool, { budget: { limitMicroUsd: 10.5 } })
    const answers = await Promise.all([
      reserve(run, 1, 4),
      reserve(run, 2, 7),
      reserve(run, 3, 6.5),
      reserve(run, 4, 0.000001),
    ])
    expect(await reserve(run, 1, 4)).toMatchObject({ verdict: 'duplicate' })
    expect(answers.map((answer) => (answer.verdict === 'refused' ? answer.code : answer.verdict))).toEqual([
      'written',
      'over_budget',
      'written',
      'over_budget',
    ])
    await expectWhole(run)
  })

  test('are held to a limit in tokens', async () => {
    const run = await newRun(pool, { budget: { limitTokens: 10 } })
    const answers = await Promise.all([reserve(run, 1, 0, 6), reserve(run, 2, 0, 6)])
    expect(answers.map(({ verdict }) => verdict)).toEqual(['written', 'refused'])
  })

  test('are refused while a run is paused or being canceled, and what stands is found as a duplicate', async () => {
    const run = await newRun(pool)
    await reserve(run, 1, 1)
    await pool.query("select devflow.command($1, 'pause', 'me', null, 'test')", [run])
    expect(await reserve(run, 2, 1)).toEqual({ verdict: 'refused', code: 'paused' })
    expect(await reserve(run, 1, 1)).toMatchObject({ verdict: 'duplicate' })
    await pool.query("select devflow.command($1, 'resume', 'me', null, 'test')", [run])
    expect(await reserve(run, 2, 1)).toMatchObject({ verdict: 'written' })
    await pool.query("select devflow.command($1, 'cancel', 'me', null, 'test')", [run])
    expect(await reserve(run, 3, 1)).toEqual({ verdict: 'refused', code: 'canceled' })
    await expectWhole(run)
  })

  test('a refusal does not undo the tool result before it', async () => {
    const run = await newRun(pool, { budget: { limitMicroUsd: 1 } })
    const [tool, call] = await Promise.all([
      writer.append({ run, lines: [event('tool')] }),
      reserve(run, 1, 2),
    ])
    expect(tool.verdict).toBe('written')
    expect(call).toMatchObject({ verdict: 'refused', code: 'over_budget' })
  })
})

describe('several processes', () => {
  test('writing the same keys to one run: each key once, each writer an answer for each', async () => {
    const run = await newRun(pool)
    const answers = await Promise.all(
      [0, 1].map(() =>
        appendFrom(
          url,
          Array.from({ length: 400 }, (_, n) => ({ run, lines: [event(`k${n}`)] })),
        ),
      ),
    )
    const verdicts = answers.map((all) =>
      all.map((answer) => ('error' in answer ? answer.error : answer.verdict)),
    )
    for (let n = 0; n < 400; n += 1)
      expect([verdicts[0]?.[n], verdicts[1]?.[n]].sort()).toEqual(['duplicate', 'written'])
    await expectWhole(run)
  })

  test('locking the same runs in opposite order: no deadlock, no gap', async () => {
    const runs = await Promise.all(Array.from({ length: 8 }, () => newRun(pool)))
    const work = (name: string, order: string[]): Member[] =>
      Array.from({ length: 50 }, (_, n) =>
        order.map((run) => ({ run, lines: [event(`${name}-${n}`)] })),
      ).flat()
    const answers = await Promise.all([
      appendFrom(url, work('a', runs)),
      appendFrom(url, work('b', runs.toReversed())),
    ])
    for (const answer of answers.flat()) expect(answer).toMatchObject({ verdict: 'written' })
    for (const run of runs) await expectWhole(run)
  })

  test('calls settled, sessions taken over and commands at once: no deadlock, and the books agree', async () => {
    const runs = await Promise.all(Array.from({ length: 4 }, () => newRun(pool)))
    const line = (n: number, type: 'call.reserved' | 'call.settled', data: object): Line => ({
      type,
      key: `p/1/${n}/${type}`,
      phase: 'p',
      attempt: 1,
      turn: n,
      data: { call: 1, ...data },
    })
    const reserved = { persona: 'x', provider: 'offline', model: 'm', reservedMicroUsd: 1, reservedTokens: 1 }
    const settled = { status: 'settled', costMicroUsd: 1, costSource: 'provider' }
    const pays = (first: number, order: string[]) =>
      Array.from({ length: 400 }, (_, n) =>
        order.map((run) => ({
          run,
          lines: [
            line(first + n, 'call.reserved', reserved),
            line(first + n, 'call.settled', { ...settled, inputTokens: 1, outputTokens: 0 }),
          ],
        })),
      ).flat()
    let paying = true
    const disturb = async (order: string[]) => {
      for (let n = 0; paying; n += 1)
        for (const run of order) {
          await pool.query("select devflow.command($1, $2, 'me', null, 'test')", [
            run,
            n % 2 ? 'resume' : 'pause',
          ])
          await takeSession(pool, run, 'p/1')
        }
    }
    const paid = Promise.all([
      appendFrom(url, pays(0, runs)),
      appendFrom(url, pays(400, runs.toReversed())),
    ]).finally(() => {
      paying = false
    })
    await Promise.all([paid, disturb(runs), disturb(runs.toReversed())])
    // Whoever is chosen as the victim tries again: only the server's count tells.
    const { rows } = await pool.query(
      'select deadlocks::int from pg_stat_database where datname = current_database()',
    )
    expect(rows).toEqual([{ deadlocks: 0 }])
    expect(await rebuild(url, { check: true })).toMatchObject({ differences: [] })
  })

  test('an epoch bumped in the middle: what the old owner wrote came before, and nothing after', async () => {
    const run = await newRun(pool)
    await takeSession(pool, run, 'p/1')
    const old = appendFrom(
      url,
      Array.from({ length: 600 }, (_, n) => ({
        run,
        session: { id: 'p/1', epoch: 1 },
        lines: [event(`old-${n}`)],
      })),
      { oneByOne: true },
    )
    await expect.poll(async () => (await logOf(run)).length, { timeout: 10_000 }).toBeGreaterThan(50)
    const epoch = await takeSession(pool, run, 'p/1')
    const seen = (await logOf(run)).length
    await writer.append({ run, session: { id: 'p/1', epoch: epoch ?? 0 }, lines: [event('new')] })
    const verdicts = (await old).map((answer) => ('verdict' in answer ? answer.verdict : answer.error))
    expect(verdicts.lastIndexOf('written')).toBeLessThan(verdicts.indexOf('fenced'))
    expect((await logOf(run)).map(({ key }) => key).slice(seen)).toEqual(['new'])
    await expectWhole(run)
  })

  test('random groups from three processes keep every promise at once', async () => {
    const appenders = [0, 1, 2].map(() => startAppender(url))
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.array(
            fc.record({
              run: fc.nat(3),
              keys: fc.array(fc.nat(12), { minLength: 1, maxLength: 4 }),
              session: fc.constantFrom(undefined, 1, 2),
              chunk: fc.boolean(),
              text: fc.string({ unit: 'binary' }),
            }),
            { minLength: 1, maxLength: 25 },
          ),
          { minLength: 3, maxLength: 3 },
        ),
        async (processes) => {
          const runs = await Promise.all([newRun(pool), newRun(pool), newRun(pool)])
          for (const run of runs) await takeSession(pool, run, 'p/1')
          const members = processes.map((items) =>
            items.map(
              ({ run, keys, session, chunk: isChunk, text }): Member => ({
                run: runs[run] ?? randomUUID(),
                ...(session === undefined ? {} : { session: { id: 'p/1', epoch: session } }),
                lines: keys.map((key) => (isChunk ? chunk(`c${key}`, text) : event(`e${key}`, { text }))),
              }),
            ),
          )
          const answers = await Promise.all(appenders.map((append, nth) => append(members[nth] ?? [])))
          const written = new Map<string, Set<string>>()
          for (const [process, work] of members.entries()) {
            for (const [index, member] of work.entries()) {
              const answer = answers[process]?.[index]
              if (!runs.includes(member.run)) expect(answer).toEqual({ verdict: 'no_run' })
              else if (member.session?.epoch === 2) expect(answer).toEqual({ verdict: 'fenced' })
              else {
                expect(answer).toHaveProperty('seq')
                const keys = written.get(member.run) ?? new Set()
                for (const line of member.lines) keys.add(line.key)
                written.set(member.run, keys)
              }
            }
          }
          for (const run of runs) {
            await expectWhole(run)
            expect(new Set((await logOf(run)).map(({ key }) => key))).toEqual(
              new Set(['run/submitted', ...(written.get(run) ?? [])]),
            )
          }
        },
      ),
      { numRuns: 12 },
    )
  }, 60_000)
})
