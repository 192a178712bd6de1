import { DevflowError as ClientError, ConnectionError, TimeoutError, UnavailableError } from '@devflow/client'
import { DevflowError, type ErrorRecord } from '@devflow/contracts'
import { EXIT } from './exit-codes.ts'
import { invocationOf } from './invocation.ts'
import type { Circumstances } from './telling.ts'

/** Codes of servers that the environment names and that are not there. */
const AWAY = ['database_unreachable', 'temporal_unreachable']

/** What is told of an error that a command's work ended with; `origin` where nobody expected it, and it is asked for. */
export function recordOfWork(
  error: unknown,
  { words, tellsOrigins, begun }: Circumstances,
): ErrorRecord & { origin?: string } {
  if (error instanceof ConnectionError) return { ...error.record, code: 'unreachable' }
  if (isStranger(error)) {
    const message = words.failures.noDevflow(begun ? invocationOf(begun).url : '', error.status ?? 0)
    return { kind: 'UNAVAILABLE', code: 'no_devflow', message }
  }
  if (error instanceof DevflowError) return error.record
  const message = error instanceof Error ? error.message : String(error)
  const origin = tellsOrigins && error instanceof Error ? error.stack : undefined
  return { kind: 'INTERNAL', code: 'unexpected', message, ...(origin ? { origin } : {}) }
}

/** The client's errors are of calls; the same kinds elsewhere are plain failures. */
export function exitCodeOfWork(error: unknown): number {
  const isAway = [ConnectionError, UnavailableError, TimeoutError].some((type) => error instanceof type)
  if (isAway || isStranger(error) || (error instanceof DevflowError && AWAY.includes(error.code)))
    return EXIT.unreachable
  const isWrong = error instanceof DevflowError && ['INVALID', 'NOT_FOUND'].includes(error.kind)
  return isWrong ? EXIT.badUsage : EXIT.failed
}

/** Something else than Devflow has answered a call: with neither JSON nor one of our errors. */
const isStranger = (error: unknown): error is ClientError =>
  error instanceof ClientError && error.code === 'unexpected_answer'
