import type {
  Definition,
  LogFields,
  Model,
  ModelPrice,
  Plan,
  Provider,
  Scrub,
  SessionRef,
} from '@devflow/contracts'
import type { GroupWriter, Listener } from '@devflow/db'
import type pg from 'pg'
import type { FaultPoint } from './fault-points.ts'
import type { FunctionPool } from './functions/index.ts'
import type { ConfiguredServers } from './mcp/index.ts'
import type { ModelAdapter } from './models/model.ts'
import type { Sandbox } from './sandbox/index.ts'
import type { CallSlots } from './session/call-slots.ts'

/** Times an operator may set, and tests shorten. All in ms. */
export interface Times {
  heartbeatTimeoutMs: number
  heartbeatIntervalMs: number
  /** How old a session's activity may be to go on with the session that follows. */
  inARowMs: number
  /** How long a session may go on with its turn once its worker shuts down. */
  drainMs: number
  /** First pause before a failed call is tried again; doubles, with jitter. */
  callBackoffMs: number
  /** After this time a call whose cost nobody knows is charged its reservation. */
  callPatienceMs: number
}

export interface Log {
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
}

export type SessionKind = 'agent' | 'function'

export interface ObservedSession extends SessionRef {
  runId: string
  kind: SessionKind
  /** Of its activity by Temporal: after a crash the next one goes on with the same attempt. */
  delivery: number
}

/** What activities are made of. */
export interface Deps {
  pool: pg.Pool
  writer: GroupWriter
  listener: Listener
  definitions: Definitions
  adapters: Partial<Record<Provider, ModelAdapter>>
  prices: Prices
  slots: CallSlots
  /** Where people look at runs, for links in the Temporal UI; without a slash at its end. */
  consoleUrl?: string | undefined
  /** Folder for mirrors and clones of workspaces. */
  dataDir: string
  /** Where commands of agents run. */
  sandbox: Sandbox
  /** Where functions run. */
  functions: FunctionPool
  /** Servers of tools that the operator has configured. */
  servers: ConfiguredServers
  /** Folders under which repositories may lie. */
  workspaceRoots: string[]
  /** Values that must never be stored or sent on (I8), for text that streams; `scrub` is for whole text. */
  secrets: readonly string[]
  scrub: Scrub
  log: Log
  /** Around each delivery of a session, for who looks on. */
  observeSession: <T>(session: ObservedSession, play: () => Promise<T>) => Promise<T>
  times: Times
  /** Where crash tests kill the process; does nothing otherwise. */
  reach: (point: FaultPoint) => void
}

/** Frozen definitions by hash, kept while they are in use. */
export interface Definitions {
  get(hash: string): Promise<{ definition: Definition; plan: Plan }>
}

/** What models cost and take in. */
export interface Prices {
  /** The persona's own price, else what the adapter knows, else the table's; undefined when none does. */
  of(adapter: ModelAdapter, model: Model): Promise<ModelPrice | undefined>
  /** The persona's own context window, else the table's, in tokens; undefined when nobody knows it. */
  windowOf(model: Model): Promise<number | undefined>
}
