import type { LogFields } from '@devflow/contracts'
import type { Logger } from '@devflow/process'
import type { LogLevel, Logger as SdkLogger } from '@temporalio/worker'

/** Temporal's `info` is our `debug`: it tells of each worker's every step. */
const LEVELS = { TRACE: 'trace', DEBUG: 'debug', INFO: 'debug', WARN: 'warn', ERROR: 'error' } as const

/** Said at each start of the worker that runs sessions alone. */
const EXPECTED = /^No workflows registered/

/**
 * What Temporal's SDK says, as lines of our log. Its words for places are others than ours (its `runId` is an
 * execution, its `attempt` a delivery), so they stand by themselves, and the run is named as everywhere.
 */
export function temporalLog(log: Logger): SdkLogger {
  const tell = (level: LogLevel, message: string, meta: Record<string | symbol, unknown> = {}) => {
    const { error, workflowId, ...temporal } = meta
    const runId = typeof workflowId === 'string' ? workflowId.replace(/^run-/, '') : undefined
    const fields: LogFields = {
      ...(error === undefined ? {} : { err: error }),
      ...(runId === undefined ? {} : { runId }),
      ...(Object.keys(temporal).length > 0 ? { temporal } : {}),
    }
    log[EXPECTED.test(message) ? 'debug' : LEVELS[level]](fields, message)
  }
  return {
    log: tell,
    trace: (message, meta) => tell('TRACE', message, meta),
    debug: (message, meta) => tell('DEBUG', message, meta),
    info: (message, meta) => tell('INFO', message, meta),
    warn: (message, meta) => tell('WARN', message, meta),
    error: (message, meta) => tell('ERROR', message, meta),
  }
}
