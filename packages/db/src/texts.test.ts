import { storableText } from '@devflow/contracts'
import fc from 'fast-check'
import type pg from 'pg'
import { expect, test } from 'vitest'
import type { Line } from './append-types.ts'
import type { GroupWriter } from './group-writer.ts'
import { useLog } from './testing-log.ts'
import { newRun } from './testing-runs.ts'

let pool: pg.Pool
let writer: GroupWriter
useLog((log) => {
  ;({ pool, writer } = log)
})

/** What arrays of Postgres write with care, and anything else. */
const text = fc.oneof(
  fc
    .array(
      fc.constantFrom(
        '"',
        '\\',
        '\\"',
        '{',
        '}',
        ',',
        ' ',
        '\n',
        'NULL',
        "'",
        '한',
        '🙂',
        '\u0000',
        '\ud800',
      ),
      {
        maxLength: 6,
      },
    )
    .map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 12 }),
)

test('keys, chunks and bodies come back as they were written, whatever they are made of', async () => {
  const run = await newRun(pool)
  let round = 0
  await fc.assert(
    fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 8 }), async (texts) => {
      round += 1
      const place = { phase: 'p', attempt: 1, turn: round }
      const lines = texts.flatMap((one, index): Line[] => [
        { type: 'turn.failed', key: `${round}/${index}/${one}`, ...place, data: { one } },
        {
          type: 'chunk',
          key: `${round}/${index}/${one}`,
          ...place,
          delivery: 1,
          kind: 'token',
          text: one,
        },
      ])
      expect((await writer.append({ run, lines })).verdict).toBe('written')
      const stored = texts.map(storableText)
      const { rows: events } = await pool.query(
        `select key, data->>'one' as one from devflow.run_events where run_id = $1 and turn = $2 order by seq`,
        [run, round],
      )
      expect(events).toEqual(stored.map((one, index) => ({ key: `${round}/${index}/${one}`, one })))
      const { rows: chunks } = await pool.query(
        'select key, text from devflow.run_chunks where run_id = $1 and turn = $2 order by seq',
        [run, round],
      )
      expect(chunks).toEqual(stored.map((one, index) => ({ key: `${round}/${index}/${one}`, text: one })))
    }),
    { numRuns: 200 },
  )
})
