import type { UsageBy, UsageItem } from '@devflow/contracts'
import { z } from 'zod'
import { keyOfCursor, type Page, pageOf } from './cursor.ts'
import { type Numeric, present, type Queryable } from './queryable.ts'

/** What usage is asked for. A call counts at the time of its reservation. */
export interface UsageQuery {
  tenant: string
  by: UsageBy
  /** The label whose values are summed by; required where `by` is `label`. */
  label?: string
  /** Inclusive. */
  from?: Date
  /** Exclusive. */
  to?: Date
}

type Money = 'costMicroUsd' | 'unsettledMicroUsd'

/** An item with its money as the text of a decimal: a double would not carry every sum. */
export type UsageSum = Omit<UsageItem, Money> & Record<Money, string>

interface Row {
  place: string
  key: string | null
  provider: string | null
  template: string | null
  deleted: boolean | null
  calls: Numeric
  input: Numeric
  output: Numeric
  cached: Numeric
  reasoning: Numeric
  cost: Numeric
  unsettled: Numeric
}

interface Grouping {
  /** What makes an item, and where it stands in the list: of a call `m`, or of its run `r` (`t`, once it is deleted). */
  place: string
  type: 'text' | 'uuid' | 'date'
  descending?: boolean
  /** Calls are summed by run first, and those sums by what the run says. */
  ofRun?: boolean
  /** What an item says of itself, from its place `p.place`; `r` and `t` are there where `joins` says so. */
  fields: string
  joins?: boolean
}

const JOINS = (run: string) =>
  `left join devflow.runs r on r.id = ${run} left join devflow.tombstones t on t.run_id = ${run}`

// Nothing bounds what a provider calls its model, but cursors have a bound.
const MODEL = `left(coalesce(m.model_used, m.model), 200) || E'\\n' || m.provider`

const GROUPINGS: Record<UsageBy, Grouping> = {
  model: {
    place: MODEL,
    type: 'text',
    fields: `regexp_replace(p.place, '\\n[^\\n]*$', '') as key, split_part(p.place, E'\\n', -1) as provider`,
  },
  persona: { place: 'm.persona', type: 'text', fields: 'p.place as key' },
  day: {
    place: `(m.at at time zone 'UTC')::date`,
    type: 'date',
    descending: true,
    fields: `p.place::text as key`,
  },
  run: {
    place: 'm.run_id',
    type: 'uuid',
    descending: true,
    fields:
      'p.place as key, coalesce(r.template, t.template) as template, nullif(r.id is null, false) as deleted',
    joins: true,
  },
  template: {
    place: 'coalesce(r.template, t.template)',
    type: 'text',
    ofRun: true,
    fields: 'p.place as key',
  },
  label: {
    // Runs without the label come first, as one.
    place: `coalesce('=' || (coalesce(r.labels, t.labels) ->> $3::text), '')`,
    type: 'text',
    ofRun: true,
    fields: `substr(nullif(p.place, ''), 2) as key`,
  },
}

// What a fork took over was counted, and paid, in the run it was made in.
const SUMS = `count(*) as calls, coalesce(sum(m.input_tokens), 0) as input, coalesce(sum(m.output_tokens), 0) as output,
  coalesce(sum(m.cached_tokens), 0) as cached, coalesce(sum(m.reasoning_tokens), 0) as reasoning,
  trim_scale(coalesce(sum(m.cost_micro_usd), 0)) as cost,
  trim_scale(coalesce(sum(m.reserved_micro_usd) filter (where m.cost_micro_usd is null), 0)) as unsettled`

const SUMS_OF_RUNS = ['calls', 'input', 'output', 'cached', 'reasoning', 'cost', 'unsettled']
  .map((name) => `sum(s.${name}) as ${name}`)
  .join(', ')

/**
 * What was used and what it cost, summed in NUMERIC over the ledger, also of runs that were deleted since. Days and runs
 * newest first, all else in the order of its text. Throws DevflowError INVALID `bad_cursor`.
 */
export async function readUsage(
  db: Queryable,
  { tenant, by, label, from, to }: UsageQuery,
  { cursor, limit }: { cursor?: string; limit: number },
): Promise<Page<UsageSum>> {
  const { place, type, descending = false, ofRun = false, fields, joins = false } = GROUPINGS[by]
  const values: unknown[] = [tenant, limit + 1]
  const parameter = (value: unknown) => `$${values.push(value)}`
  if (by === 'label') parameter(label)
  const conditions = ['m.tenant = $1', "m.cost_source is distinct from 'reused'"]
  if (from) conditions.push(`m.at >= ${parameter(from)}`)
  if (to) conditions.push(`m.at < ${parameter(to)}`)
  const sorted = type === 'text' ? `(${place}) collate "C"` : place
  const after =
    cursor === undefined
      ? []
      : [`${sorted} ${descending ? '<' : '>'} ${parameter(placeIn(cursor, by, type))}::${type}`]
  const order = `order by place ${descending ? 'desc' : 'asc'}`
  const where = (all: string[]) => (all.length > 0 ? `where ${all.join(' and ')}` : '')
  const page = ofRun
    ? `select ${sorted} as place, ${SUMS_OF_RUNS}
       from (select m.run_id, ${SUMS} from devflow.model_calls m ${where(conditions)} group by m.run_id) s ${JOINS('s.run_id')}
       ${where(after)} group by 1 ${order} limit $2`
    : `select ${sorted} as place, ${SUMS} from devflow.model_calls m ${where([...conditions, ...after])} group by 1 ${order} limit $2`
  const { rows } = await db.query<Row>({
    text: `select p.*, p.place::text as place, ${fields} from (${page}) p ${joins ? JOINS('p.place') : ''} order by p.place ${descending ? 'desc' : 'asc'}`,
    values,
  })
  return pageOf(rows, limit, sumOf, (row) => [by, row.place])
}

const PLACES = {
  text: z.string().refine((text) => text.isWellFormed() && !text.includes('\u0000')),
  uuid: z.uuid(),
  date: z.iso.date(),
}

function placeIn(cursor: string, by: UsageBy, type: Grouping['type']): string {
  return keyOfCursor(cursor, z.tuple([z.literal(by), PLACES[type]]))[1]
}

function sumOf(row: Row): UsageSum {
  return present<UsageSum>({
    ...{ key: row.key ?? undefined, provider: row.provider ?? undefined },
    ...{ template: row.template ?? undefined, deleted: row.deleted ?? undefined },
    calls: Number(row.calls),
    inputTokens: Number(row.input),
    outputTokens: Number(row.output),
    cachedTokens: Number(row.cached),
    reasoningTokens: Number(row.reasoning),
    costMicroUsd: row.cost,
    unsettledMicroUsd: row.unsettled,
  })
}
