import { DevflowError } from '@devflow/contracts'
import { adoptVersions, freePorts, giveWay, startTemporal, type TemporalProgram } from '@devflow/local-stack'
import { DEVFLOW_VERSION } from '../../version.ts'
import type { Supervised } from '../supervise.ts'
import type { PartContext } from './part-context.ts'

const PREFERRED_PORTS = [7233, 8233]

/** Notes who uses the data folder, and sets a store of another Temporal aside. Throws where Postgres' data do not fit. */
export function checkVersions({ options, at, progress }: PartContext, program?: TemporalProgram): void {
  const { setAside } = adoptVersions({
    dataDir: options.dataDir,
    devflow: DEVFLOW_VERSION,
    temporal: program && { version: program.version, dbFile: at.temporalStore },
  })
  if (setAside === undefined) return
  progress(options.words.up.storeSetAside(setAside))
}

/** The development server, or without a program the one TEMPORAL_ADDRESS names. */
export async function keepTemporal(
  { options, at, endpoints, keep }: PartContext,
  program: TemporalProgram | undefined,
): Promise<Supervised | undefined> {
  const { temporalAddress, temporalNamespace } = options.config
  if (program === undefined) {
    endpoints.temporalAddress = temporalAddress ?? ''
    return undefined
  }
  let ports = await freePorts(2, PREFERRED_PORTS)
  let isFirst = true
  const start = async () => {
    const [port, uiPort] = ports
    const logFile = at.log('temporal')
    const fixed = { program: program.path, dbFile: at.temporalStore, namespace: temporalNamespace }
    const open = { ...fixed, logFile, path: options.config.path }
    try {
      return await startTemporal({ ...open, port, uiPort })
    } catch (error) {
      if (!isFirst || !(error instanceof DevflowError && error.code === 'port_taken')) throw error
      // Another stack was quicker. Nobody knows our ports yet, so any others will do.
      ports = await freePorts(2)
      return startTemporal({ ...open, port: ports[0], uiPort: ports[1] })
    }
  }
  return keep('Temporal', start, (temporal) => {
    isFirst = false
    endpoints.temporalAddress = temporal.address
    endpoints.temporalUi = temporal.uiUrl
    endpoints.pids.temporal = temporal.pid
    void giveWay(temporal.pid, options.config.nice)
  })
}
