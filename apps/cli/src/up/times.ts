/** Milliseconds. */
export interface Times {
  pingIntervalMs: number
  /** A child that answers no ping for so long is killed. */
  pingTimeoutMs: number
  /** How long API and workers may take to end. */
  drainMs: number
  /** The longest wait before a restart. */
  restartMaxMs: number
  /** A part that ran for so long is started again at once when it ends. */
  steadyMs: number
}
