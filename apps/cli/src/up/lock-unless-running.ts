import { DevflowError } from '@devflow/contracts'
import { type DataLock, lockData } from '@devflow/local-stack'

/** Takes the data folder's lock; undefined where `devflow up` has it. */
export function lockUnlessRunning(dataDir: string): DataLock | undefined {
  try {
    return lockData(dataDir)
  } catch (error) {
    if (error instanceof DevflowError && error.code === 'data_in_use') return undefined
    throw error
  }
}
