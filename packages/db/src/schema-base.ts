import { customType, numeric, pgSchema, text, timestamp } from 'drizzle-orm/pg-core'

/** Everything Devflow keeps lives in this schema. `run_events` and `run_chunks` are partitioned: see `partitioned.ts`. */
export const devflow = pgSchema('devflow')

export const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' })
export const time = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })
export const tenant = () => text('tenant').notNull().default('default')
export const micro = (name: string) => numeric(name)
