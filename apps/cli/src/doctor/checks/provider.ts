import { type Check, ok } from '../check.ts'

/** Without a key much works: it is no failure. What counts is what the `devflow up` of this folder was started with. */
export const checkProvider: Check = ({ words: { provider: words }, config, running, isElsewhere }) => {
  const providers = (isElsewhere ? undefined : running?.providers) ?? config.modelProviders
  return providers.length > 0
    ? ok(words.keys(providers.join(', ')))
    : { status: 'note', detail: words.none, fix: words.fix }
}
