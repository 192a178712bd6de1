import { type Check, ok, type Patient } from '../check.ts'

/** Without a key much works: it is no failure. What counts is what the `devflow up` of this folder was started with. */
export const checkProvider: Check = (patient) => {
  const { provider: words } = patient.words
  const { there, problems } = keptIn(patient)
  const started = patient.isElsewhere ? undefined : patient.running?.providers
  if (started !== undefined) {
    const late = there.map(({ provider }) => provider).filter((provider) => !started.includes(provider))
    if (late.length > 0)
      return { status: 'note', detail: words.late(started.join(', '), late.join(', ')), fix: words.lateFix }
    return started.length > 0 ? ok(words.keys(started.join(', '))) : none(patient)
  }
  const { environment, keyring, file } = words.places
  const places = { keyring, file }
  const found = [
    ...patient.config.modelProviders.map((provider) => `${provider} (${environment})`),
    ...there.map(({ provider, from }) => `${provider} (${places[from]})`),
  ].join(', ')
  if (problems.length > 0) {
    const detail = [...(found === '' ? [] : [words.keys(found)]), ...problems].join('; ')
    return { status: 'note', detail, fix: words.problemFix }
  }
  return found === '' ? none(patient) : ok(words.keys(found))
}

const none = ({ words: { provider: words } }: Patient) =>
  ({ status: 'note', detail: words.none, fix: words.fix }) as const

/** Keys that were kept and that an `up` would take, and why it could not take others. */
function keptIn({ keys }: Patient) {
  const there = keys.flatMap(({ provider, from, problem }) =>
    problem === undefined && (from === 'keyring' || from === 'file') ? [{ provider, from }] : [],
  )
  const problems = keys.flatMap(({ provider, problem }) => (problem ? [`${provider}: ${problem}`] : []))
  return { there, problems }
}
