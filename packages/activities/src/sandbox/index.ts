// Law: where commands of agents run: namespaces, limits, their end. Knows neither runs nor models.
export { CapturedOutput } from './captured-output.ts'
export type { ConfinedChild } from './confined-child.ts'
export { type CommandLimits, DEFAULT_LIMITS } from './limits.ts'
export {
  type CommandEnd,
  type CommandResult,
  type Confinement,
  type LongLived,
  Sandbox,
  type SandboxOptions,
} from './sandbox.ts'
