import type { DecideGate, DelegateGate, Gate, GateStatus } from '@devflow/contracts'
import { type Listing, listing } from './listing.ts'
import type { CallOptions, PostOptions } from './options.ts'
import { path } from './paths.ts'
import type { Transport } from './transport.ts'
import type { PageQuery } from './types.ts'

export interface GateQuery extends PageQuery {
  /** Only the gates of this run. */
  run?: string
  status?: GateStatus | GateStatus[]
}

/** Gates, where people decide. */
export class Gates {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** Gates of a run, or of all runs, those open longest first. */
  list({ run, ...query }: GateQuery = {}, options?: CallOptions): Listing<Gate> {
    const where = run === undefined ? '/v1/gates' : path`/v1/runs/${run}/gates`
    return listing(this.#transport, where, query, options)
  }

  /**
   * Decides a gate. Give the `subjectHash` of what was looked at: when it is no longer what the gate asks about, this
   * rejects with ConflictError `subject_changed`.
   */
  async decide(run: string, gate: string, decision: DecideGate, options?: PostOptions): Promise<Gate> {
    return await this.#transport.post(path`/v1/runs/${run}/gates/${gate}/decisions`, decision, options)
  }

  /** Lets somebody else decide in the caller's place, at this opening of the gate. */
  async delegate(run: string, gate: string, delegation: DelegateGate, options?: PostOptions): Promise<Gate> {
    return await this.#transport.post(path`/v1/runs/${run}/gates/${gate}/delegations`, delegation, options)
  }
}
