import { isCancel, password } from '@clack/prompts'
import type { Invocation } from '../invocation.ts'
import { badUsage } from '../refuse.ts'
import { KEY_PAGES, type KeyProvider } from './providers.ts'

/** Longer than any key, and less than what every keyring takes. */
const LONGEST = 1_000

/**
 * A provider's key: typed into a terminal, where it is not shown, else what stands on standard input. Never an argument: shells
 * remember those, and everybody on the machine sees them. Undefined where who was asked leaves. Throws INVALID `bad_usage`.
 */
export async function readKey(
  provider: KeyProvider,
  { json, screen, words: { keys: words } }: Invocation,
): Promise<string | undefined> {
  if (!json && screen.canAsk) {
    const message = words.ask(provider, KEY_PAGES[provider])
    // Not even its length.
    const validate = (text = '') => wrongIn(text.trim(), words.emptyTyped)
    const typed = await password({ message, mask: '', clearOnError: true, withGuide: false, validate })
    return isCancel(typed) ? undefined : typed.trim()
  }
  // A terminal that we do not ask in would show what is typed.
  if (process.stdin.isTTY) throw badUsage(words.needsInput(provider))
  const key = (await allOf(process.stdin)).trim()
  const wrong = wrongIn(key, words.empty(provider))
  if (wrong !== undefined) throw badUsage(wrong)
  return key

  function wrongIn(key: string, empty: string): string | undefined {
    if (key === '') return empty
    if (key.length > LONGEST) return words.tooLong(LONGEST)
    // What a header of HTTP can carry; a blank in it is the beginning of something else.
    return /^[!-~]+$/.test(key) ? undefined : words.noKey
  }
}

/** No more of it than shows that it is too long. */
async function allOf(stdin: NodeJS.ReadStream): Promise<string> {
  let text = ''
  for await (const chunk of stdin.setEncoding('utf8')) {
    text += chunk
    if (text.length > 2 * LONGEST) break
  }
  return text
}
