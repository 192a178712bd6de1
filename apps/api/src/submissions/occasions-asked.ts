import { type Backfilled, DevflowError, type Overlap } from '@devflow/contracts'
import { addOccasions, type Queryable, type ScheduleRef, storedSchedule } from '@devflow/db'
import { compileSpec, scheduleTimes } from '@devflow/definition'

/** So many times one request may ask for. */
const MOST_TIMES = 10_000

interface Asked {
  now: Date
  /** A range of times, both ends included; now alone unless told. */
  from?: Date
  to?: Date
  overlap?: Overlap | undefined
}

/**
 * Makes occasions due that a person asks for. Throws NOT_FOUND `schedule_not_found`, and INVALID `invalid_range` for a range
 * that ends before it begins, lies in the time to come, or holds too many times.
 */
export async function occasionsAsked(
  db: Queryable,
  ref: ScheduleRef,
  { now, from, to, overlap }: Asked,
): Promise<Backfilled> {
  const schedule = await storedSchedule(db, ref)
  if (!schedule)
    throw new DevflowError('NOT_FOUND', 'schedule_not_found', `There is no schedule ${ref.id.slice(0, 64)}.`)
  if (!from || !to) {
    const added = await addOccasions(db, schedule, [now], {
      overlap,
      isManual: true,
      key: `trigger/${crypto.randomUUID()}`,
    })
    return { times: 1, added }
  }
  if (to < from) throw badRange('to', 'it is before `from`')
  if (to > now) throw badRange('to', 'it is in the time to come')
  const after = new Date(Math.ceil(from.getTime() / 1000) * 1000 - 1000)
  const times = scheduleTimes(compileSpec(schedule.spec).compiled, { after, until: to, most: MOST_TIMES + 1 })
  if (times.length > MOST_TIMES)
    throw badRange(
      'to',
      `more than ${MOST_TIMES} times lie in the range: ask for a shorter one, then for the next`,
    )
  return { times: times.length, added: await addOccasions(db, schedule, times, { overlap, isManual: true }) }
}

function badRange(path: string, message: string): DevflowError {
  return new DevflowError('INVALID', 'invalid_range', `The range is not valid: ${path}: ${message}.`, {
    errors: [{ path, message }],
  })
}
