import { apiHas } from '../api-state.ts'
import { type Check, failed, ok, skipped } from '../check.ts'
import { temporalVersion } from '../temporal-version.ts'

/** Looks itself where it knows the address, else at what the API says. */
export const checkTemporal: Check = async ({ words, config, running, isElsewhere, api }) => {
  const { version, away, awayFix, byApi, notByApi } = words.temporal
  const address = config.temporalAddress ?? (isElsewhere ? undefined : running?.temporalAddress)
  if (address === undefined) {
    const has = apiHas(api, 'temporal')
    if (has === undefined) return skipped(words.needs('TEMPORAL_ADDRESS, API'))
    return has ? ok(byApi) : failed(notByApi, awayFix)
  }
  try {
    return ok(version(await temporalVersion(address), address))
  } catch (error) {
    return failed(away(address, error instanceof Error ? error.message : String(error)), awayFix)
  }
}
