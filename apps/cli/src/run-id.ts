import type { DevflowClient } from '@devflow/client'
import { DevflowError } from '@devflow/contracts'
import { findId } from './ids.ts'
import type { Words } from './messages/words.ts'

/** How far the clock of an API may be off that of Postgres. */
const CLOCKS_MS = 60_000

/** The id of the run that is meant: by its id, by the beginning of it, or by `last`, the newest. */
export async function findRunId(client: DevflowClient, text: string, { failures }: Words): Promise<string> {
  if (text === 'last') {
    const { items } = await client.runs.list({ limit: 1 })
    if (!items[0]) throw new DevflowError('NOT_FOUND', 'run_not_found', failures.noRuns)
    return items[0].id
  }
  return await findId(text, {
    among: (beginning) => client.runs.list({ ...submittedAround(beginning), limit: 200 }),
    none: () => new DevflowError('NOT_FOUND', 'run_not_found', failures.noSuchRun(text)),
    several: { code: 'ambiguous_run', say: failures.ambiguous },
  })
}

/** When runs were submitted whose ids begin so: ids are UUIDv7, which begin with the time in 48 bits. */
function submittedAround(beginning: string): { createdAfter: Date; createdBefore: Date } {
  const digits = beginning.replaceAll('-', '').slice(0, 12)
  const time = (fill: string) => Number.parseInt(digits.padEnd(12, fill), 16)
  return {
    createdAfter: new Date(time('0') - CLOCKS_MS),
    createdBefore: new Date(time('f') + CLOCKS_MS),
  }
}
