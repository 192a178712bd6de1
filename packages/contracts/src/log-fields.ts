/**
 * What a line of a log tells beside its message: named alike in every process, and never what a person or a model
 * wrote. `docs/operations.md` says what each means.
 */
export interface LogFields {
  err?: unknown
  runId?: string
  phase?: string
  attempt?: number
  turn?: number
  call?: number
  /** Delivery of a session, or execution of a run (I13). */
  epoch?: number
  generationId?: string | null
  model?: string
  code?: string | undefined
  traceId?: string
  method?: string
  path?: string
  /** An entry of the registry. */
  entry?: string
  status?: number
  /** How long it took. */
  ms?: number
  /** How many of them it was about. */
  count?: number
  address?: string
  /** What Temporal's SDK says of where it was; its words, not ours. */
  temporal?: object
}
