// Law: where commands of agents run: namespaces, limits, their end. Knows neither runs nor models.
export { WORKSPACE } from './bubblewrap.ts'
export { CapturedOutput } from './captured-output.ts'
export type { ConfinedChild } from './confined-child.ts'
export { type CommandResult, Sandbox, type SandboxOptions } from './sandbox.ts'
