/** What the screen of one command-line agent looks like in each state; the first of waiting, busy, ready that fits counts. */
export interface Patterns {
  /** It waits for a prompt. */
  ready: RegExp
  /** It works, whatever else is on the screen. */
  busy: RegExp
  /** It asks what only a person can answer. */
  waiting?: RegExp | undefined
}

/** One look at the terminal. */
export interface Observation {
  /** The command runs. */
  alive: boolean
  /** The visible screen, as text. */
  screen: string
  /** It has been ready before. */
  started: boolean
}

/**
 * - `starting`: not ready for the first time yet;
 * - `ready`: waits for a prompt;
 * - `busy`: works, or says nothing we know: what is not ready is at work;
 * - `waiting`: asks a question;
 * - `dead`: the command has ended.
 */
export type State = 'starting' | 'ready' | 'busy' | 'waiting' | 'dead'

/** The state a look shows. */
export function stateOf(seen: Observation, patterns: Patterns): State {
  if (!seen.alive) return 'dead'
  if (patterns.waiting?.test(seen.screen)) return 'waiting'
  if (patterns.busy.test(seen.screen)) return 'busy'
  if (patterns.ready.test(seen.screen)) return 'ready'
  return seen.started ? 'busy' : 'starting'
}
