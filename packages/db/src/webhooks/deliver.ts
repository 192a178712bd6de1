import type { Numeric, Queryable } from '../read/queryable.ts'

/** A delivery that is due, with all that its message needs. */
export interface DueDelivery {
  id: Numeric
  tenant: string
  webhook: string
  url: string
  secret: string
  /** Signs as well while a new secret gets around. */
  old_secret: string | null
  type: string
  /** This one counted. */
  attempts: number
  created_at: Date
  run: { id: string | null; template: string | null; status: string | null; labels: unknown }
  /** Null when the run was deleted. */
  event: { at: string } | null
}

/** Takes deliveries that are due, at most `most`; they are due again after `leaseSeconds` unless they end before. */
export async function claimDeliveries(
  db: Queryable,
  { most, leaseSeconds }: { most: number; leaseSeconds: number },
): Promise<DueDelivery[]> {
  const { rows } = await db.query<DueDelivery>({
    name: 'claim-deliveries',
    text: 'select * from devflow.claim_deliveries($1, $2)',
    values: [most, leaseSeconds],
  })
  return rows
}

/** Ends a delivery: its receiver has it, or it is given up. */
export async function endDelivery(
  db: Queryable,
  id: Numeric,
  {
    status,
    answered,
    error,
  }: { status: 'delivered' | 'dead'; answered?: number | undefined; error?: string | undefined },
): Promise<void> {
  await db.query({
    name: 'end-delivery',
    text: `update devflow.webhook_deliveries set status = $2, answered = $3, error = $4, ended_at = clock_timestamp() where id = $1 and status = 'pending'`,
    values: [id, status, answered ?? null, error ?? null],
  })
}

/** Has a delivery tried again after a while. */
export async function postponeDelivery(
  db: Queryable,
  id: Numeric,
  { ms, answered, error }: { ms: number; answered?: number | undefined; error: string },
): Promise<void> {
  await db.query({
    name: 'postpone-delivery',
    text: `update devflow.webhook_deliveries set due_at = clock_timestamp() + make_interval(secs => $2::float8 / 1000), answered = $3, error = $4
           where id = $1 and status = 'pending'`,
    values: [id, ms, answered ?? null, error],
  })
}

/** Forgets deliveries that ended before a time. */
export async function pruneDeliveries(db: Queryable, before: Date): Promise<void> {
  await db.query({ text: 'delete from devflow.webhook_deliveries where ended_at < $1', values: [before] })
}
