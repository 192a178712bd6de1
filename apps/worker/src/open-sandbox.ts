import { type Log, Sandbox } from '@devflow/activities'
import type { Config } from './config.ts'

/** The sandbox of this worker's commands, found once; the log tells when there is none. */
export async function openSandbox(config: Config, log: Log): Promise<Sandbox> {
  const sandbox = await Sandbox.open(config.sandbox)
  const { confinement } = sandbox
  if (confinement.kind === 'unsandboxed')
    log.warn({}, `commands of agents run without a sandbox, as you allowed: ${confinement.reason}`)
  if (confinement.kind === 'unavailable')
    log.warn({}, `commands of agents are denied, for lack of a sandbox: ${confinement.reason}`)
  return sandbox
}
