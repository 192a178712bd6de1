import {
  claimDeliveries,
  type DueDelivery,
  endDelivery,
  messageId,
  postponeDelivery,
  switchOffWebhook,
} from '@devflow/db'
import type { Logger } from '@devflow/process'
import type pg from 'pg'
import { Webhook } from 'standardwebhooks'
import { post } from './post.ts'

export interface DeliveryDeps {
  pool: pg.Pool
  log: Logger
  /** Hosts that may be told though their address is private. */
  privateHosts: readonly string[]
  /** How long a receiver may take, in ms. */
  timeoutMs: number
  /** Before each further attempt, in ms; after the last one a delivery is dead. */
  pausesMs: readonly number[]
  signal: AbortSignal
}

/** Receivers are slow and many wait for others: so many at once. */
const AT_ONCE = 16
const GONE = 410

/**
 * Tells webhooks what is due, until nothing is (at least once, by the Standard Webhooks specification): signed, the same
 * `webhook-id` in every attempt. An attempt of a process that dies is made again when its lease is over.
 */
export async function deliverWebhooks(deps: DeliveryDeps): Promise<void> {
  const leaseSeconds = Math.ceil(deps.timeoutMs / 1000) + 5
  while (!deps.signal.aborted) {
    const due = await claimDeliveries(deps.pool, { most: AT_ONCE, leaseSeconds })
    if (due.length === 0) return
    await Promise.all(due.map((delivery) => attempt(deps, delivery)))
  }
}

async function attempt(deps: DeliveryDeps, delivery: DueDelivery): Promise<void> {
  const { pool, log } = deps
  const { id, tenant, webhook, event } = delivery
  if (!event) return await endDelivery(pool, id, { status: 'dead', error: 'The run was deleted.' })
  let answered: number | undefined
  let error: string
  try {
    answered = await tell(deps, delivery)
    if (answered >= 200 && answered < 300)
      return await endDelivery(pool, id, { status: 'delivered', answered })
    error = `The receiver answered ${answered}.`
  } catch (cause) {
    if (deps.signal.aborted) return await postponeDelivery(pool, id, { ms: 0, error: 'The worker ended.' })
    error = cause instanceof Error ? cause.message : String(cause)
  }
  const pause = deps.pausesMs[delivery.attempts - 1]
  log.warn({}, `webhook ${webhook} was not told (attempt ${delivery.attempts}): ${error}`)
  if (answered === GONE) await switchOffWebhook(pool, tenant, webhook, 'Its receiver answered 410 Gone.')
  if (pause === undefined || answered === GONE)
    return await endDelivery(pool, id, { status: 'dead', answered, error })
  // Many that failed together come back apart.
  await postponeDelivery(pool, id, { ms: pause * (0.8 + 0.4 * Math.random()), answered, error })
}

async function tell(
  deps: DeliveryDeps,
  { id, url, secret, old_secret: old, type, run, event, created_at }: DueDelivery,
): Promise<number> {
  const body = JSON.stringify({
    type,
    timestamp: event?.at ?? created_at.toISOString(),
    data: { run, event },
  })
  const at = new Date()
  const signatures = [secret, ...(old === null ? [] : [old])].map((each) =>
    new Webhook(each).sign(messageId(id), at, body),
  )
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'devflow',
    'webhook-id': messageId(id),
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': signatures.join(' '),
  }
  return await post(url, headers, body, deps)
}
