import type { DevflowClient } from '@devflow/client'
import { DevflowError } from '@devflow/contracts'
import type { Words } from './messages/words.ts'
import { badUsage } from './refuse.ts'

const WHOLE = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
/** The first eight digits say when the run was submitted, to a minute: fewer are too many runs to look through. */
const BEGINNING = /^[0-9a-f]{8}[0-9a-f-]*$/i

/** The id up to the millisecond, which in a list of runs is enough to tell them apart, nearly always. */
export const shortId = (id: string): string => id.slice(0, 13)

/** How far the clock of an API may be off that of Postgres. */
const CLOCKS_MS = 60_000

/** The id of the run that is meant: by its id, by the beginning of it, or by `last`, the newest. */
export async function findRunId(client: DevflowClient, text: string, { failures }: Words): Promise<string> {
  if (WHOLE.test(text)) return text.toLowerCase()
  if (text === 'last') {
    const { items } = await client.runs.list({ limit: 1 })
    if (!items[0]) throw new DevflowError('NOT_FOUND', 'run_not_found', failures.noRuns)
    return items[0].id
  }
  const none = new DevflowError('NOT_FOUND', 'run_not_found', failures.noSuchRun(text))
  if (!BEGINNING.test(text)) throw none
  const beginning = text.toLowerCase()
  const ids: string[] = []
  for await (const { id } of client.runs.list({ ...submittedAround(beginning), limit: 200 })) {
    if (id.startsWith(beginning)) ids.push(id)
  }
  if (ids.length > 1) {
    const told = ids.slice(0, 5).join(', ') + (ids.length > 5 ? ', …' : '')
    throw badUsage(failures.ambiguous(text, told), 'ambiguous_run')
  }
  if (ids[0] === undefined) throw none
  return ids[0]
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
