import type {
  ControlRun,
  EventPage,
  ForkRun,
  PhaseView,
  Run,
  RunDiff,
  RunEvent,
  RunPreview,
  RunStatus,
  SubmitRun,
} from '@devflow/contracts'
import { type FollowOptions, follow, type RunEnd } from './follow.ts'
import { type Listing, listing } from './listing.ts'
import type { CallOptions, PostOptions } from './options.ts'
import { path, queryOf } from './paths.ts'
import { RunRecords } from './run-records.ts'
import { type TokenItem, type TokenOptions, tokens } from './tokens.ts'
import type { LogItem, PageQuery } from './types.ts'

export interface RunQuery extends PageQuery {
  status?: RunStatus | RunStatus[]
  template?: string
  labels?: Record<string, string>
  createdAfter?: string | Date
  createdBefore?: string | Date
}

export interface WaitOptions {
  /** Answer when the run is over or waits for someone, after so many seconds (120 at most) at the latest. */
  waitSeconds?: number
}

export interface SubmitOptions extends PostOptions, WaitOptions {}

export interface EventQuery {
  /** Events after this seq. */
  after?: number
  limit?: number
  types?: string[]
  /** Streamed model output too. */
  chunks?: boolean
}

/** Runs: submitting, reading, commanding, following them. */
export class Runs extends RunRecords {
  /** Submits a run; it is committed when this resolves. */
  async submit(run: SubmitRun, options?: SubmitOptions): Promise<Run> {
    return await this.transport.post('/v1/runs', run, options)
  }

  /** What a run of this submission would be and may cost, and what would stop it; starts nothing. */
  async preview(run: SubmitRun, options?: CallOptions): Promise<RunPreview> {
    const request = {
      method: 'POST',
      path: '/v1/runs/preview',
      body: JSON.stringify(run),
      ...options,
    } as const
    return await this.transport.json(request)
  }

  async get(id: string, options?: CallOptions & WaitOptions): Promise<Run> {
    return await this.transport.json({ method: 'GET', path: path`/v1/runs/${id}`, ...options })
  }

  /** Runs, newest first. */
  list({ labels, ...query }: RunQuery = {}, options?: CallOptions): Listing<Run> {
    return listing(this.transport, '/v1/runs', query, options, labels)
  }

  /** All phases of a run; the run itself shows at most 500. */
  phases(id: string, query: PageQuery = {}, options?: CallOptions): Listing<PhaseView> {
    return listing(this.transport, path`/v1/runs/${id}/phases`, { ...query }, options)
  }

  async cancel(id: string, command?: ControlRun, options?: PostOptions): Promise<Run> {
    return await this.transport.post(path`/v1/runs/${id}/cancel`, command ?? {}, options)
  }

  /** The turn under way is finished and kept, nothing else starts. */
  async pause(id: string, command?: ControlRun, options?: PostOptions): Promise<Run> {
    return await this.transport.post(path`/v1/runs/${id}/pause`, command ?? {}, options)
  }

  async resume(id: string, command?: ControlRun, options?: PostOptions): Promise<Run> {
    return await this.transport.post(path`/v1/runs/${id}/resume`, command ?? {}, options)
  }

  /** Goes on with a failed run at its failed phase. */
  async retry(id: string, command?: ControlRun, options?: PostOptions): Promise<Run> {
    return await this.transport.post(path`/v1/runs/${id}/retry`, command ?? {}, options)
  }

  /** A new run that takes over what this one did before a phase, and goes on from there. */
  async fork(id: string, fork: ForkRun, options?: PostOptions): Promise<Run> {
    return await this.transport.post(path`/v1/runs/${id}/fork`, fork, options)
  }

  /** What differs between a run and another one. */
  async diff(a: string, b: string, options?: CallOptions): Promise<RunDiff> {
    const where = path`/v1/runs/${a}/diff` + queryOf({ with: b })
    return await this.transport.json({ method: 'GET', path: where, ...options })
  }

  /** Deletes a finished run; a tombstone is left. */
  async delete(id: string, options?: CallOptions): Promise<void> {
    await this.transport.delete(path`/v1/runs/${id}`, options)
  }

  /** A page of a run's log as it is now; `follow` goes on with it as it grows. */
  async events(id: string, { types, ...query }: EventQuery = {}, options?: CallOptions): Promise<EventPage> {
    const where = path`/v1/runs/${id}/events` + queryOf({ ...query, type: types })
    return await this.transport.json({ method: 'GET', path: where, ...options })
  }

  /**
   * The events of a run, from the first or from `after` to its end, each once, over lost connections and restarts of the
   * API. The generator returns how the run ended. With `chunks` streamed model output comes too.
   */
  follow(id: string, options: FollowOptions & { chunks: true }): AsyncGenerator<LogItem, RunEnd, undefined>
  follow(
    id: string,
    options?: FollowOptions & { chunks?: false },
  ): AsyncGenerator<RunEvent, RunEnd, undefined>
  follow(id: string, options: FollowOptions = {}): AsyncGenerator<LogItem, RunEnd, undefined> {
    return follow(this.transport, id, options)
  }

  /** What models say, as they say it; see `TokenItem` for what to do when it turns out to be void. */
  tokens(id: string, options: TokenOptions = {}): AsyncGenerator<TokenItem, RunEnd, undefined> {
    return tokens(this.transport, id, options)
  }
}
