// Law: where functions run: a process of their own with the rights they declare, and no more. Knows neither runs nor Temporal.
export { FunctionPool, type PoolOptions } from './pool.ts'
export type { CallContext } from './process.ts'
