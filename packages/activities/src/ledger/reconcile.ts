import { type CostSource, costOf } from '@devflow/contracts'
import { forgetLookup, takeDueCalls, type UnsettledCall } from '@devflow/db'
import type { Deps, Times } from '../deps.ts'
import type { ModelUsage } from '../models/model.ts'
import { eventAt } from '../session/place.ts'

const MOST_AT_ONCE = 16
const LOOKUP_TIMEOUT_MS = 10_000
/** The longest time between two looks while a call's cost is not known, and once it is estimated. */
const MOST_BETWEEN_MS = 60_000
const MOST_BETWEEN_AFTER_MS = 6 * 3_600_000
/** A provider that has not told by then never will: the estimate stands. */
const GIVE_UP_MS = 48 * 3_600_000

/** What settling takes. */
export type LedgerDeps = Pick<Deps, 'pool' | 'writer' | 'adapters' | 'prices' | 'log'> & {
  times: Pick<Times, 'callBackoffMs' | 'callPatienceMs'>
}

/**
 * Settles calls that ended without a known cost (I5): by what their provider says, asked at growing intervals; once
 * they are as old as `times.callPatienceMs`, by their reservation. The provider's later word still corrects that.
 * Idempotent and shared by all who sweep: an event a call and kind, and an estimate never undoes what is known.
 * Budgets move with the events, whether the run is over or not.
 */
export async function reconcileCalls(deps: LedgerDeps): Promise<void> {
  const pace = {
    firstMs: deps.times.callBackoffMs,
    mostMs: MOST_BETWEEN_MS,
    patienceMs: deps.times.callPatienceMs,
    mostAfterMs: MOST_BETWEEN_AFTER_MS,
  }
  const calls = await takeDueCalls(deps.pool, pace, MOST_AT_ONCE)
  await Promise.all(calls.map((call) => reconcile(deps, call)))
}

async function reconcile(deps: LedgerDeps, call: UnsettledCall): Promise<void> {
  const billed = await whatItCost(deps, call)
  const written = billed === undefined || (await write(deps, call, billed))
  const source = billed?.costSource ?? call.costSource
  if (source === undefined) return
  const mayChange = source === 'estimate' && call.ageMs < GIVE_UP_MS && lookupOf(deps, call) !== undefined
  if (!written || !mayChange) await forgetLookup(deps.pool, call)
}

type Billed = ModelUsage & { costMicroUsd: number; costSource: CostSource }

/** Undefined: nothing more is known than before. */
async function whatItCost(deps: LedgerDeps, call: UnsettledCall): Promise<Billed | undefined> {
  const { costSource, ageMs, reservedMicroUsd } = call
  if (costSource !== undefined && costSource !== 'estimate') return undefined
  const usage = await askProvider(deps, call)
  if (usage?.costMicroUsd !== undefined)
    return { ...usage, costMicroUsd: usage.costMicroUsd, costSource: 'provider' }
  if (costSource === 'estimate' || ageMs < deps.times.callPatienceMs) return undefined
  const byPrice = usage && (await priced(deps, call, usage))
  if (byPrice !== undefined) return { ...usage, costMicroUsd: byPrice, costSource: 'pricing' }
  return { costMicroUsd: reservedMicroUsd, costSource: 'estimate' }
}

/** How the call's provider is asked, where it can tell and there is something to ask for. */
function lookupOf(deps: LedgerDeps, { provider, generationId }: UnsettledCall) {
  const lookup = deps.adapters[provider]?.lookup
  return lookup && generationId !== null
    ? () => lookup(generationId, AbortSignal.timeout(LOOKUP_TIMEOUT_MS))
    : undefined
}

async function askProvider(deps: LedgerDeps, call: UnsettledCall): Promise<ModelUsage | undefined> {
  try {
    return await lookupOf(deps, call)?.()
  } catch (error) {
    deps.log.warn(
      { err: error, generationId: call.generationId },
      'the provider did not say what a call cost; it is asked again',
    )
    return undefined
  }
}

async function priced(deps: LedgerDeps, { provider, model }: UnsettledCall, usage: ModelUsage) {
  const { inputTokens, outputTokens } = usage
  const adapter = deps.adapters[provider]
  if (!adapter || inputTokens === undefined || outputTokens === undefined) return undefined
  const price = await deps.prices.of(adapter, { provider, name: model })
  return price && costOf(price, { ...usage, inputTokens, outputTokens })
}

/** Answers false when the run is gone, and its ledger with it. */
async function write(deps: LedgerDeps, call: UnsettledCall, billed: Billed): Promise<boolean> {
  const { costMicroUsd, costSource, inputTokens, outputTokens, cachedTokens, reasoningTokens } = billed
  const counts = { inputTokens, outputTokens, cachedTokens, reasoningTokens }
  // Keys of their own: what the provider says follows an estimate, and each comes once.
  const key = `call-${call.call}/${costSource === 'estimate' ? 'estimated' : 'reconciled'}`
  const data = { call: call.call, ...counts, costMicroUsd, costSource }
  const line = eventAt(call, 'call.reconciled', key, data, call.turn)
  const { verdict } = await deps.writer.append({ run: call.runId, lines: [line] })
  return verdict !== 'no_run'
}
