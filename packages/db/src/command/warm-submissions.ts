import { randomUUIDv7 } from 'node:crypto'
import type pg from 'pg'
import { readRun } from '../read/index.ts'
import { SUBMIT_RUN } from './submit-run.ts'
import { transaction } from './transaction.ts'

const TAKEN_BACK = new Error('taken back')

/**
 * Opens so many connections of a pool at once and lets each plan what a submission does, by one that is taken back: the first
 * real one on each would wait tens of ms for that. Rejects where Postgres is away; nothing depends on it.
 */
export async function warmSubmissions(pool: pg.Pool, tenant: string, connections: number): Promise<void> {
  await Promise.all(Array.from({ length: connections }, () => submitForNothing(pool, tenant)))
}

async function submitForNothing(pool: pg.Pool, tenant: string): Promise<void> {
  const run = randomUUIDv7()
  const submitted = {
    template: 'warm-up@1',
    definitionHash: run,
    input: null,
    labels: {},
    budget: {},
    actor: 'devflow',
    phases: [],
  }
  await transaction(pool, async (client) => {
    await client.query({
      ...SUBMIT_RUN,
      values: [run, tenant, run, JSON.stringify({ format: 1, title: '' }), JSON.stringify(submitted)],
    })
    await readRun(client, tenant, run)
    throw TAKEN_BACK
  }).catch((error: unknown) => {
    if (error !== TAKEN_BACK) throw error
  })
}
