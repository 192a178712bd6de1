import type { Scrub } from '@devflow/contracts'
import { failureKind } from '@devflow/db'
import { Context } from '@temporalio/activity'
import { ActivityFailure, ApplicationFailure, CancelledFailure } from '@temporalio/common'

/** Deliveries that may fail in a way nobody expected before the workflow hears of it. */
const MOST_SURPRISES = 5
const LONGEST_MESSAGE = 2_000

type Activities = Record<string, (input: never) => Promise<unknown>>

/**
 * Activities whose failures may be shown in Temporal: without secrets (I8) and without our stacks. What Postgres being
 * away explains is tried again for as long as it takes; any other surprise gives up after a few deliveries, so that a
 * person sees a failed phase and not a run that hangs.
 */
export function guarded<T extends object>(activities: T, scrub: Scrub): T {
  const wrapped = Object.entries(activities as Activities).map(([name, activity]) => [
    name,
    async (input: never) => {
      try {
        return await activity(input)
      } catch (error) {
        throw failureFor(error, scrub)
      }
    },
  ])
  return Object.fromEntries(wrapped) as T
}

function failureFor(error: unknown, scrub: Scrub): unknown {
  if (
    error instanceof ApplicationFailure ||
    error instanceof CancelledFailure ||
    error instanceof ActivityFailure
  )
    return error
  const message = scrub(error instanceof Error ? error.message : String(error)).slice(0, LONGEST_MESSAGE)
  const type = error instanceof Error ? error.name : 'Error'
  const passes = failureKind(error) === 'transient' || isAway(error)
  const { attempt, isLocal } = Context.current().info
  return ApplicationFailure.create({
    message,
    type,
    nonRetryable: !passes && !isLocal && attempt >= MOST_SURPRISES,
  })
}

function isAway(error: unknown): boolean {
  return error instanceof Error && 'kind' in error && error.kind === 'UNAVAILABLE'
}
