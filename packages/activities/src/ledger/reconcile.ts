import { readUnsettledCalls, type UnsettledCall } from '@devflow/db'
import type { Deps } from '../deps.ts'
import type { ModelUsage } from '../models/model.ts'
import { eventAt } from '../session/place.ts'

/** A call nobody can account for is charged what it had reserved, after this time. */
const PATIENCE_MS = 10 * 60_000
const MOST_AT_ONCE = 50
const LOOKUP_TIMEOUT_MS = 10_000

/**
 * Asks providers what calls without a known cost have cost (I5), and writes down what they say. Idempotent: each call
 * is reconciled under one key, whoever asks first. Answers how many calls are still open.
 */
export async function reconcileCalls(deps: Deps, asked: Map<string, number>): Promise<number> {
  const calls = await readUnsettledCalls(deps.pool, MOST_AT_ONCE)
  let open = 0
  for (const call of calls) {
    const id = `${call.runId}/${call.phase}/${call.attempt}/${call.turn}/${call.call}`
    const billed = await whatItCost(deps, call, id, asked)
    if (billed === undefined) {
      open += 1
      continue
    }
    asked.delete(id)
    await deps.writer.append({
      run: call.runId,
      lines: [
        eventAt(
          call,
          'call.reconciled',
          `call-${call.call}/reconciled`,
          { call: call.call, ...billed },
          call.turn,
        ),
      ],
    })
  }
  return open
}

type Billed = ModelUsage & { costSource: 'provider' | 'estimate' }

async function whatItCost(
  deps: Deps,
  call: UnsettledCall,
  id: string,
  asked: Map<string, number>,
): Promise<Billed | undefined> {
  const lookup = deps.adapters[call.provider]?.lookup
  const tries = asked.get(id) ?? 0
  // The provider may know only after a while: ask at growing intervals, from the call's end on.
  const due = call.ageMs >= Math.min(deps.times.callBackoffMs * (2 ** tries - 1), 60_000)
  if (lookup && call.generationId !== null && due) {
    asked.set(id, tries + 1)
    try {
      const usage = await lookup(call.generationId, AbortSignal.timeout(LOOKUP_TIMEOUT_MS))
      if (usage?.costMicroUsd !== undefined) return { ...usage, costSource: 'provider' }
    } catch (error) {
      deps.log.warn(
        { err: error, generationId: call.generationId },
        'the provider did not say what a call cost',
      )
    }
  }
  return call.ageMs > PATIENCE_MS
    ? { costMicroUsd: call.reservedMicroUsd, costSource: 'estimate' }
    : undefined
}
