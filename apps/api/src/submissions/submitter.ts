import { randomUUIDv7 } from 'node:crypto'
import { CHANNELS, DevflowError, SubmitRun, SubmitTemplate } from '@devflow/contracts'
import {
  claimSubmission,
  type DueOccasion,
  type DueSubmission,
  failSubmission,
  judgeOccasion,
  noteRun,
  type Poker,
  releaseOccasions,
  settleSubmission,
  submitRun,
  transaction,
} from '@devflow/db'
import { evaluateValue, eventMatches, type Scope } from '@devflow/definition'
import type { Logger } from '@devflow/process'
import type pg from 'pg'
import { type PrepareDeps, prepareRun } from '../prepare-run.ts'

export interface SubmitterDeps extends PrepareDeps {
  pool: pg.Pool
  poker: Poker
  log: Logger
}

/**
 * Submits what triggers and schedules ask for, until nothing is due: each occasion once, however many processes do it and
 * wherever one of them dies (I10). What no retry can mend is settled as failed, with its error.
 */
export async function submitDue(deps: SubmitterDeps): Promise<void> {
  await releaseOccasions(deps.pool)
  for (let due = await claimSubmission(deps.pool); due; due = await claimSubmission(deps.pool)) {
    try {
      await submit(deps, due)
    } catch (error) {
      if (!(error instanceof DevflowError) || error.kind === 'UNAVAILABLE' || error.kind === 'INTERNAL') {
        deps.log.warn({ err: error }, `a submission of ${due.source} comes later`)
        continue
      }
      deps.log.warn({ err: error }, `${due.source} cannot be submitted`)
      await failSubmission(deps.pool, due.id, error.record)
    }
  }
}

async function submit(deps: SubmitterDeps, due: DueSubmission): Promise<void> {
  const { pool, poker } = deps
  const { id, tenant, source, match, event, at } = due
  const occasion = at && { id, tenant, source, at, overlap: due.overlap, isManual: due.is_manual }
  const scope: Scope = {
    input: {},
    artifacts: {},
    phases: {},
    run: { id: '', attempt: 0 },
    locals: {
      ...(event ? { event } : {}),
      ...(at ? { schedule: { id: source.slice(source.indexOf('/') + 1), at: at.toISOString() } } : {}),
    },
  }
  if (match !== null && event && !eventMatches(match, scope, event)) {
    await settleSubmission(pool, id, { status: 'skipped' })
    return
  }
  // Judged before its run is prepared, since most of what is skipped would be prepared in vain, and again when it is made.
  if (occasion && !(await judged(deps, occasion))) return
  const prepared = await prepareRun(deps, bodyOf(due.submit, scope), source)
  const run = randomUUIDv7()
  const made = await transaction(pool, async (client) => {
    if (occasion && !(await judgeOccasion(client, occasion)).go) return false
    if (!(await settleSubmission(client, id, { status: 'submitted', run }))) return false
    await submitRun(client, { run, tenant, ...prepared })
    if (occasion) await noteRun(client, occasion, run)
    return true
  })
  if (made) poker.poke(CHANNELS.outbox)
}

async function judged({ pool, poker }: SubmitterDeps, occasion: DueOccasion): Promise<boolean> {
  const verdict = await transaction(pool, (client) => judgeOccasion(client, occasion))
  if (verdict.go) return true
  if (verdict.canceled !== undefined) {
    poker.poke(CHANNELS.outbox)
    poker.poke(CHANNELS.control, verdict.canceled)
  }
  return false
}

/** What is submitted, its expressions evaluated. Throws INVALID `invalid_submission`, `expression_failed`. */
function bodyOf(template: unknown, scope: Scope): SubmitRun {
  const { input, labels, ...rest } = SubmitTemplate.parse(template)
  const body = SubmitRun.safeParse({
    ...rest,
    ...(input === undefined ? {} : { input: evaluateValue(input, scope) }),
    ...(labels === undefined ? {} : { labels: textsOf(evaluateValue(labels, scope)) }),
  })
  if (body.success) return body.data
  const [issue] = body.error.issues
  const message = `What is to be submitted is not valid: ${issue?.path.join('.')}: ${issue?.message}`
  throw new DevflowError('INVALID', 'invalid_submission', message)
}

/** Values of labels are text, also those that an expression gives. */
function textsOf(labels: unknown): unknown {
  if (labels === null || typeof labels !== 'object') return labels
  return Object.fromEntries(
    Object.entries(labels).map(([key, value]) => [
      key,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  )
}
