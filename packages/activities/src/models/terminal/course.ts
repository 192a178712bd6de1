import type { State } from './state.ts'

/** Where a call stands: `starting` until the prompt is given, `prompted` until work is seen, then `working`. */
export interface Course {
  stage: 'starting' | 'prompted' | 'working'
  recoveries: Recoveries
}

/** What had to be done beside the usual, each so many times at most. */
export interface Recoveries {
  /** A prompt that lay in the input line was sent once more. */
  submitted: number
  /** A known question was answered. */
  answered: number
  /** An agent that was done without an answer was asked for it. */
  asked: number
}

export const BEGIN: Course = { stage: 'starting', recoveries: { submitted: 0, answered: 0, asked: 0 } }

/** What the course goes by. */
export interface Sight {
  state: State
  /** The answer is there, to its end. */
  answered: boolean
  /** Keys that answer the question on the screen, where the operator has said them. */
  keys: readonly string[] | undefined
  /** How long the screen has been as it is, the stage has lasted, and the call in all. */
  quietMs: number
  stageMs: number
  totalMs: number
}

export interface Limits {
  /** How long the screen has to stand still for a prompt on it to be believed: screens are painted piece by piece. */
  settleMs: number
  /** To be ready for the prompt. */
  startMs: number
  /** For a sign that the prompt was taken. */
  submitMs: number
  /** Without any change on the screen while it works. */
  stallMs: number
  /** For the whole call. */
  limitMs: number
}

export type Failure = 'died' | 'not_ready' | 'deaf' | 'waiting' | 'no_answer' | 'stalled' | 'too_long'

export type Action =
  | { do: 'look' }
  | { do: 'prompt' }
  | { do: 'press'; keys: readonly string[] }
  | { do: 'ask' }
  | { do: 'finish' }
  | { do: 'fail'; why: Failure }

const MOST: Recoveries = { submitted: 3, answered: 5, asked: 1 }

const LOOK: Action = { do: 'look' }
const fail = (why: Failure): Action => ({ do: 'fail', why })

/** What to do about what is seen, and where the call stands then. */
export function next(course: Course, seen: Sight, limits: Limits): [Course, Action] {
  const { stage, recoveries } = course
  const again = (
    kind: keyof Recoveries,
    action: Action,
    at: Course['stage'],
    other: Failure,
  ): [Course, Action] =>
    recoveries[kind] < MOST[kind]
      ? [{ stage: at, recoveries: { ...recoveries, [kind]: recoveries[kind] + 1 } }, action]
      : [course, fail(other)]

  if (seen.state === 'dead')
    return [course, seen.answered && stage !== 'starting' ? { do: 'finish' } : fail('died')]
  if (seen.totalMs > limits.limitMs) return [course, fail('too_long')]
  if (seen.state === 'waiting')
    return seen.keys === undefined
      ? [course, fail('waiting')]
      : again('answered', { do: 'press', keys: seen.keys }, stage, 'waiting')

  if (seen.state === 'ready' && seen.quietMs < limits.settleMs) return [course, LOOK]
  if (stage === 'starting') {
    if (seen.state === 'ready') return [{ ...course, stage: 'prompted' }, { do: 'prompt' }]
    return [course, seen.stageMs > limits.startMs ? fail('not_ready') : LOOK]
  }
  if (seen.state === 'busy') {
    if (seen.quietMs > limits.stallMs) return [course, fail('stalled')]
    return [{ ...course, stage: 'working' }, LOOK]
  }
  // Ready again.
  if (seen.answered) return [course, { do: 'finish' }]
  if (stage === 'working') return again('asked', { do: 'ask' }, 'prompted', 'no_answer')
  if (seen.stageMs <= limits.submitMs) return [course, LOOK]
  return again('submitted', { do: 'press', keys: ['Enter'] }, 'prompted', 'deaf')
}
