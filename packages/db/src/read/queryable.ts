import type pg from 'pg'

/** A pool, or one connection of it inside a transaction. */
export interface Queryable {
  query<Row extends pg.QueryResultRow>(query: pg.QueryConfig): Promise<pg.QueryResult<Row>>
}

/** What `pg` makes of the columns this package reads: NUMERIC and BIGINT come as text. */
export type Numeric = string

/** ISO 8601 in UTC, with milliseconds; cut, never rounded, so that times keep the order of their rows. */
export function isoTime(time: Date | string): string {
  return (typeof time === 'string' ? new Date(time) : time).toISOString()
}

/** `isoTime` of a column that may be null. */
export function isoTimeIfAny(time: Date | string | null | undefined): string | undefined {
  return time === null || time === undefined ? undefined : isoTime(time)
}

/** NUMERIC or BIGINT as a JSON number: micro-dollars with up to six decimals go through a double unharmed. */
export function numberIfAny(value: Numeric | null): number | undefined {
  return value === null ? undefined : Number(value)
}

/** The entries of an object that have a value: absent fields are left out of answers, not null. */
export function present<T extends object>(fields: T): T {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && value !== null),
  ) as T
}
