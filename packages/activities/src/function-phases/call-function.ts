import { type BoundFunction, DevflowError, type ErrorRecord, scrubber } from '@devflow/contracts'
import type { Deps } from '../deps.ts'
import type { CallContext } from '../functions/index.ts'
import { checkedOutput } from './prepare-call.ts'

const MOST_LINES = 50
const LONGEST_LINE = 1_000

export interface FunctionCall {
  tenant: string
  called: BoundFunction
  input: unknown
  ctx: CallContext
  signal: AbortSignal
}

/** How a call ended, without anything that must not be stored (I8). `log`: what the function said meanwhile. */
export type Called = { durationMs: number; log: string[] } & ({ output: unknown } | { error: ErrorRecord })

/**
 * Calls a function and takes its failure for an answer. Throws what is nobody's failure: UNAVAILABLE, and the signal's reason
 * when it is aborted.
 */
export async function callFunction(
  deps: Deps,
  { tenant, called, input, ctx, signal }: FunctionCall,
): Promise<Called> {
  const own = scrubber(deps.functions.secretsOf(called))
  const scrub = <T>(value: T): T => own(deps.scrub(value))
  const log: string[] = []
  const onLog = (text: string) => {
    if (log.length < MOST_LINES) log.push(scrub(text).slice(0, LONGEST_LINE))
  }
  const started = performance.now()
  const told = () => ({ durationMs: Math.round(performance.now() - started), log })
  try {
    const { timeoutMs } = called
    const output = await deps.functions.call(tenant, called, { input, ctx, timeoutMs, signal, onLog })
    return { output: checkedOutput(called, scrub(output)), ...told() }
  } catch (error) {
    if (signal.aborted || !(error instanceof DevflowError) || error.kind === 'UNAVAILABLE') throw error
    return { error: scrub(error.record), ...told() }
  }
}
