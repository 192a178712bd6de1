import type { Call } from '@devflow/contracts'
import { z } from 'zod'
import { CursorText, keyOfCursor, type Page, pageOf } from './cursor.ts'
import { isoTime, type Numeric, numberIfAny, present, type Queryable } from './queryable.ts'

type Nullable<T> = { [K in keyof T]: T[K] | null }

interface Row extends Pick<Call, 'phase' | 'attempt' | 'turn' | 'persona' | 'provider' | 'model' | 'status'> {
  call: number
  reserved: Numeric
  cost: Numeric | null
  input: Numeric | null
  output: Numeric | null
  cached: Numeric | null
  reasoning: Numeric | null
  latency: Numeric | null
  optional: Nullable<Pick<Call, 'modelUsed' | 'costSource'>> & { generationId: string | null }
  at: Date
  at_text: string
}

const Key = z.tuple([
  z.string().regex(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?[+-]\d\d(:\d\d)?$/),
  CursorText,
  z.int32(),
  z.int32(),
  z.int32(),
])

/** The ledger of a run, oldest call first. Throws DevflowError INVALID `bad_cursor`. */
export async function readCalls(
  db: Queryable,
  run: string,
  { cursor, limit }: { cursor?: string; limit: number },
): Promise<Page<Call>> {
  const key = cursor === undefined ? ['-infinity', '', 0, 0, 0] : keyOfCursor(cursor, Key)
  const { rows } = await db.query<Row>({
    name: 'read-calls',
    text: `select m.phase, m.attempt, m.turn, m.call, m.persona, m.provider, m.model, m.status, m.at, m.at::text as at_text,
             m.reserved_micro_usd as reserved, m.cost_micro_usd as cost, m.input_tokens as input, m.output_tokens as output,
             m.cached_tokens as cached, m.reasoning_tokens as reasoning, m.latency_ms as latency,
             jsonb_build_object('modelUsed', m.model_used, 'costSource', m.cost_source, 'generationId', m.generation_id) as optional
           from devflow.model_calls m
           where m.run_id = $1 and (m.at, m.phase, m.attempt, m.turn, m.call) > ($2::timestamptz, $3::text, $4::int, $5::int, $6::int)
           order by m.at, m.phase, m.attempt, m.turn, m.call limit $7`,
    values: [run, ...key, limit + 1],
  })
  return pageOf(rows, limit, callOf, (row) => [row.at_text, row.phase, row.attempt, row.turn, row.call])
}

function callOf(row: Row): Call {
  return present<Call>({
    id: `${row.phase}/${row.attempt}/${row.turn}/call-${row.call}`,
    phase: row.phase,
    attempt: row.attempt,
    turn: row.turn,
    persona: row.persona,
    provider: row.provider,
    model: row.model,
    modelUsed: row.optional.modelUsed ?? row.model,
    status: row.status,
    reservedMicroUsd: Number(row.reserved),
    costMicroUsd: numberIfAny(row.cost),
    costSource: row.optional.costSource ?? 'estimate',
    inputTokens: numberIfAny(row.input),
    outputTokens: numberIfAny(row.output),
    cachedTokens: numberIfAny(row.cached),
    reasoningTokens: numberIfAny(row.reasoning),
    generationId: row.optional.generationId ?? undefined,
    latencyMs: numberIfAny(row.latency),
    at: isoTime(row.at),
  })
}
