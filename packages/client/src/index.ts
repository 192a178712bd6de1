// Law: the public client of the HTTP API, for Node, Deno, Bun and browsers. Imports contracts and the web's own globals, never Node's.
export { DevflowClient } from './client.ts'
export {
  AlreadyExistsError,
  CanceledError,
  ConflictError,
  ConnectionError,
  DevflowError,
  ExecutionError,
  InternalError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitedError,
  TimeoutError,
  UnavailableError,
  UnknownError,
  ValidationError,
} from './errors.ts'
export type { ExecuteOptions, Execution } from './execute.ts'
export { type FollowOptions, isChunk, isReset, type RunEnd } from './follow.ts'
export type { GateQuery } from './gates.ts'
export type { Listing } from './listing.ts'
export type { CallOptions, ClientOptions, Fetch, PostOptions, Retry, RetryPolicy } from './options.ts'
export type { Poke, PokeOptions } from './pokes.ts'
export type { PriceQuery } from './pricing.ts'
export type { EntryQuery } from './registry.ts'
export type { ArtifactContent } from './run-records.ts'
export type { EventQuery, RunQuery, SubmitOptions } from './runs.ts'
export { finalText, StreamedText, type TokenItem, type TokenOptions, type TurnText } from './tokens.ts'
export type { TopicOptions } from './topics.ts'
export type * from './types.ts'
export type { UsageQuery } from './usage.ts'
