import { ModelError } from '../model.ts'
import { modelError, type Verdict, verdict } from '../provider-failure.ts'
import type { Course, Failure, Recoveries } from './course.ts'
import type { Look } from './tmux.ts'

/** A call that did not come to its answer, and what was to be seen then. */
interface TerminalStop {
  why: Failure
  stage: Course['stage']
  recoveries: Recoveries
  look: Look
}

const BY_WHY: Record<Failure, [Verdict, string]> = {
  died: [verdict('UNAVAILABLE', 'terminal_died', true), 'ended'],
  not_ready: [verdict('UNAVAILABLE', 'terminal_not_ready', true), 'did not become ready'],
  deaf: [verdict('UNAVAILABLE', 'terminal_deaf', true), 'did not take the prompt'],
  waiting: [verdict('PERMISSION_DENIED', 'terminal_waiting'), 'asks what only a person can answer'],
  no_answer: [verdict('UNAVAILABLE', 'terminal_no_answer', true), 'was done without an answer'],
  stalled: [verdict('TIMEOUT', 'provider_stalled', true), 'stands still'],
  too_long: [verdict('TIMEOUT', 'provider_timeout', true), 'took too long'],
}

/** Lines of the screen that an error quotes. */
const QUOTED = 5

/** Maps whatever ended a call to a `ModelError`. */
export function terminalFailure(failure: unknown, name: string): ModelError {
  if (failure instanceof ModelError) return failure
  if (isStop(failure)) {
    const { why, stage, look, recoveries } = failure
    const [given, what] = BY_WHY[why]
    const code = look.exitCode === undefined ? '' : ` with code ${look.exitCode}`
    const tried = Object.values(recoveries).some((count) => count > 0)
      ? `, after ${recoveries.submitted} more presses of Enter, ${recoveries.answered} answers and ${recoveries.asked} reminders`
      : ''
    return modelError(given, `${name} ${what}${code}${tried}: ${lastOf(look.screen)}`, {
      // Before the prompt was given nothing can have been asked of anybody.
      billed: stage === 'starting' ? 'no' : 'unknown',
    })
  }
  if (
    failure instanceof Error &&
    'code' in failure &&
    failure.code === 'ENOENT' &&
    'path' in failure &&
    failure.path === 'tmux'
  )
    return modelError(
      verdict('UNAVAILABLE', 'terminal_without_tmux'),
      'terminals need tmux, which is not installed where the worker runs',
      { billed: 'no' },
    )
  const message = failure instanceof Error ? failure.message : String(failure)
  return modelError(verdict('UNAVAILABLE', 'terminal_failed', true), `${name} in tmux failed: ${message}`, {
    billed: 'unknown',
  })
}

const isStop = (failure: unknown): failure is TerminalStop =>
  typeof failure === 'object' && failure !== null && 'why' in failure && 'look' in failure

function lastOf(screen: string): string {
  const lines = screen.split('\n').filter((line) => line.trim() !== '')
  return lines.slice(-QUOTED).join(' ⏎ ') || '(an empty screen)'
}
