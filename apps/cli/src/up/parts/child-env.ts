import { delimiter } from 'node:path'
import { cacheFolder } from '@devflow/local-stack'
import type { PartContext } from './part-context.ts'

/** What API and workers find in their environment, beside all that we found in ours. */
export function childEnv({ options, endpoints }: PartContext): NodeJS.ProcessEnv {
  const { config } = options
  return {
    ...config.env,
    DATABASE_URL: endpoints.databaseUrl,
    TEMPORAL_ADDRESS: endpoints.temporalAddress,
    TEMPORAL_NAMESPACE: config.temporalNamespace,
    // Children end before we stop waiting for them.
    DEVFLOW_DRAIN_MS: String(Math.round(config.times.drainMs * 0.8)),
    DEVFLOW_HOST: options.host,
    ...(options.token === undefined ? {} : { DEVFLOW_TOKEN: options.token }),
    DEVFLOW_DATA: options.dataDir,
    DEVFLOW_CACHE: cacheFolder({ DEVFLOW_CACHE: config.cache }),
    DEVFLOW_WORKSPACE_ROOTS: options.workspaceRoots.join(delimiter),
    DEVFLOW_ENTRIES: options.entries.join(delimiter),
    // A proxy's address is the operator's to tell.
    DEVFLOW_PUBLIC_URL: config.env.DEVFLOW_PUBLIC_URL || endpoints.api,
    ...(endpoints.temporalUi ? { DEVFLOW_TEMPORAL_UI: endpoints.temporalUi } : {}),
    ...(options.unsandboxedCommands ? { DEVFLOW_UNSANDBOXED_COMMANDS: 'true' } : {}),
  }
}
