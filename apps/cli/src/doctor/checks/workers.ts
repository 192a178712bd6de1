import { join } from 'node:path'
import { apiHas } from '../api-state.ts'
import { type Check, failed, ok, skipped } from '../check.ts'

/** As the API sees it: without Temporal nobody knows. */
export const checkWorkers: Check = ({ words, api, dataDir }) => {
  const { polling, missing, fix } = words.workers
  const has = apiHas(api, 'workers')
  if (has === undefined) return skipped(words.needs('API'))
  if (apiHas(api, 'temporal') === false) return skipped(words.needs('Temporal'))
  return has ? ok(polling) : failed(missing, fix(join(dataDir, 'logs', 'worker-1.log')))
}
