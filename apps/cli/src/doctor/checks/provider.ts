import { type Check, ok } from '../check.ts'

/** Without a key much works: it is no failure. What counts is the key that `devflow up` was started with. */
export const checkProvider: Check = ({ words: { provider: words }, config }) =>
  config.hasModelKey
    ? ok(words.key('OPENROUTER_API_KEY'))
    : { status: 'note', detail: words.none, fix: words.fix }
