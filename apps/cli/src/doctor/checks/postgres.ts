import { inspectSchema } from '@devflow/db'
import { reasonOf } from '../../given-servers.ts'
import { apiHas } from '../api-state.ts'
import { type Check, failed, ok, type Patient, skipped } from '../check.ts'

const OLDEST = 15

/** Looks itself where it knows the address, else at what the API says. */
export const checkPostgres: Check = async (patient) => {
  const { words, config, running, isElsewhere } = patient
  const url = config.databaseUrl ?? (isElsewhere ? undefined : running?.databaseUrl)
  return url === undefined ? askApi(patient) : look(url, words)
}

async function look(url: string, { postgres: words }: Patient['words']) {
  const { host } = new URL(url)
  try {
    const { version, major, pending, isAhead } = await inspectSchema(url)
    if (major < OLDEST) return failed(words.old(version), words.oldFix)
    if (isAhead) return failed(words.ahead, words.aheadFix)
    return pending > 0 ? failed(words.pending(pending), words.pendingFix) : ok(words.version(version, host))
  } catch (error) {
    return failed(words.away(host, reasonOf(error)), words.awayFix)
  }
}

function askApi({ words, api }: Patient) {
  const has = apiHas(api, 'postgres')
  if (has === undefined) return skipped(words.needs('DATABASE_URL, API'))
  const { byApi, notByApi, awayFix } = words.postgres
  return has ? ok(byApi) : failed(notByApi, awayFix)
}
