import { isOver, type Run, type SubmitRun, TERMINAL_EVENTS } from '@devflow/contracts'
import { ExecutionError } from './errors.ts'
import type { PostOptions } from './options.ts'
import { pause } from './retry.ts'
import type { Runs } from './runs.ts'

export interface ExecuteOptions extends PostOptions, Omit<SubmitRun, 'template' | 'input'> {
  /** What to do when the run is paused, or waits at a gate or for a signal: `throw` unless told to `wait`. */
  whenWaiting?: 'throw' | 'wait'
}

export interface Execution<Output> {
  output: Output
  /** From submission to the end. */
  latencyMs: number
  run: Run
}

/** Shorter than what proxies bear. */
const WAIT_SECONDS = 25
/** The least between two looks, should something in between not honour `Prefer`. */
const PACE_MS = 1_000

/** See `DevflowClient.execute`. */
export async function execute<Output>(
  runs: Runs,
  template: string,
  input: unknown,
  { whenWaiting = 'throw', signal, timeoutMs, retries, idempotencyKey, ...submission }: ExecuteOptions = {},
): Promise<Execution<Output>> {
  const options = { signal, timeoutMs, retries, waitSeconds: WAIT_SECONDS }
  const body: SubmitRun = { template, input: input as SubmitRun['input'], ...submission }
  let asked = Date.now()
  let run = await runs.submit(body, { ...options, idempotencyKey })
  while (!isOver(run.status)) {
    if (isWaiting(run)) {
      if (whenWaiting === 'throw') throw waiting(run)
      await end(runs, run, signal)
    } else {
      await pause(Math.max(0, PACE_MS - (Date.now() - asked)), signal)
    }
    asked = Date.now()
    run = await runs.get(run.id, options)
  }
  if (run.status !== 'completed') throw failed(run)
  return { output: run.output as Output, latencyMs: run.latencyMs ?? 0, run }
}

/** For somebody: a timer is nobody to wait for. */
function isWaiting({ status, waitingFor = [] }: Run): boolean {
  if (status === 'paused') return true
  return (
    status === 'waiting' && waitingFor.some(({ kind, deadline }) => kind === 'gate' || deadline === undefined)
  )
}

/** Resolves when the run is over, be it in days. */
async function end(runs: Runs, { id, lastSeq }: Run, signal: AbortSignal | undefined): Promise<void> {
  const log = runs.follow(id, { after: lastSeq, types: [...TERMINAL_EVENTS], signal })
  while (!(await log.next()).done);
}

function waiting(run: Run): ExecutionError {
  const { id, status, waitingFor = [] } = run
  const names = waitingFor.map(({ kind, id }) => `${kind} "${id}"`).join(', ')
  const what = status === 'paused' ? 'is paused' : `waits for someone at ${names}`
  const detail = `Run ${id} ${what}. It goes on waiting: decide, signal or resume it, or pass whenWaiting: 'wait'.`
  const code = status === 'paused' ? 'run_paused' : 'run_waiting'
  return new ExecutionError(run, 'CONFLICT', code, detail)
}

function failed(run: Run): ExecutionError {
  const { id, status, error } = run
  const detail = `Run ${id} ${status === 'canceled' ? 'was canceled' : 'failed'}${error ? `: ${error.message}` : '.'}`
  const kind = error?.kind ?? (status === 'canceled' ? 'CANCELED' : 'UNKNOWN')
  const code = error?.code ?? (status === 'canceled' ? 'canceled' : 'run_failed')
  return new ExecutionError(run, kind, code, detail, { errors: error?.errors })
}
