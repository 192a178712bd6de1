// Law: where commands of agents run: namespaces, limits, their end. Knows neither runs nor models.
export { WORKSPACE } from './bubblewrap.ts'
export { CapturedOutput } from './captured-output.ts'
export { ConfinedChild } from './confined-child.ts'
export { type Identity, identityFor } from './identity.ts'
export { type CommandResult, Sandbox, type SandboxOptions } from './sandbox.ts'
export { UsageWatch } from './usage-watch.ts'
