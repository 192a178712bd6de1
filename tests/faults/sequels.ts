import { setTimeout as pause } from 'node:timers/promises'
import { call } from '../crash/runs.ts'
import type { Stack } from '../crash/stack.ts'
import type { Case } from './case.ts'
import type { Story } from './meaning.ts'

/**
 * What people do when a run is over: retry it, and fork it, as its case says. Answers the fork, where there is to be one;
 * throws where they are answered otherwise than it means.
 */
export async function follow(
  stack: Stack,
  run: string,
  found: Case,
  { retries, isRetryRefused, fork }: Story,
  isOver: () => boolean,
): Promise<string | undefined> {
  for (let round = 1; round <= retries; round += 1) {
    if (!(await untilEnd(stack, run, round, isOver))) return undefined
    await command(stack, run, 'retry', {}, `${run}/retry/${round}`)
  }
  if (!isRetryRefused && fork === undefined) return undefined
  if (!(await untilEnd(stack, run, retries + 1, isOver))) return undefined
  if (isRetryRefused) await command(stack, run, 'retry', {}, `${run}/undone`, 'run_compensated')
  if (fork === undefined) return undefined
  const { from: fromPhase, input } = found.sequel.fork ?? {}
  const refusal = fork === 'refused' ? 'phase_not_reached' : undefined
  return (await command(stack, run, 'fork', { fromPhase, input }, `${run}/fork`, refusal)).id
}

/** Until the run is over in this round; false when nobody waits any more. */
async function untilEnd(stack: Stack, run: string, round: number, isOver: () => boolean): Promise<boolean> {
  const query = 'select 1 from devflow.runs where id = $1 and attempt = $2 and ended_at is not null'
  while (!isOver()) {
    // Postgres may be away, and after it another pool is in place.
    const ended = await stack.pool.query(query, [run, round]).catch(() => undefined)
    if (ended?.rowCount === 1) return true
    await pause(100)
  }
  return false
}

async function command(
  stack: Stack,
  run: string,
  verb: 'retry' | 'fork',
  body: unknown,
  key: string,
  refusal?: string,
): Promise<{ id?: string }> {
  const response = await call(stack, `/v1/runs/${run}/${verb}`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'idempotency-key': key },
  })
  const answer = (await response.json()) as { id?: string; code?: string }
  if (refusal === undefined ? !response.ok : answer.code !== refusal)
    throw new Error(`${verb} answered ${response.status} ${JSON.stringify(answer)}, not ${refusal ?? 'done'}`)
  return answer
}
