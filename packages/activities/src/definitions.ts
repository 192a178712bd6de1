import { DevflowError } from '@devflow/contracts'
import { readDefinition } from '@devflow/db'
import { planOf } from '@devflow/definition'
import type pg from 'pg'
import type { Definitions } from './deps.ts'

const MOST_KEPT = 200

/** Reads definitions once and keeps the latest used: they never change (I9). */
export function createDefinitions(pool: pg.Pool): Definitions {
  const kept = new Map<string, Awaited<ReturnType<Definitions['get']>>>()
  return {
    async get(hash) {
      const known = kept.get(hash)
      if (known) {
        kept.delete(hash)
        kept.set(hash, known)
        return known
      }
      const definition = await readDefinition(pool, hash)
      if (!definition)
        throw new DevflowError('INTERNAL', 'definition_missing', `Definition ${hash} is not in the database.`)
      const pair = { definition, plan: planOf(definition) }
      kept.set(hash, pair)
      const [oldest] = kept.keys()
      if (kept.size > MOST_KEPT && oldest !== undefined) kept.delete(oldest)
      return pair
    },
  }
}
