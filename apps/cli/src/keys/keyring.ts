import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Config } from '../config.ts'
import type { Words } from '../messages/words.ts'
import { inOneLine } from '../terminal/fit.ts'
import { KeyringAnswer, type KeyringTask } from './keyring-messages.ts'

const SCRIPT = fileURLToPath(new URL('./keyring-process.ts', import.meta.url))

/** For what nobody waits for at a keyboard: a start, a list. */
export const QUICK_MS = 3_000
/** While a person may be asked to unlock the keyring. */
export const PATIENT_MS = 60_000

/** Asks the keyring, for so long and no longer. One that is not to be used answers that it is away, and why. */
export async function askKeyring(
  tasks: readonly KeyringTask[],
  patienceMs: number,
  { usesKeyring, env }: Config,
  { keys: words }: Words,
): Promise<KeyringAnswer> {
  if (!usesKeyring) return { is: 'away', why: words.keyringOff }
  const answer = Promise.withResolvers<KeyringAnswer>()
  const child = fork(SCRIPT, { env, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
  const away = (why: string) => answer.resolve({ is: 'away', why: inOneLine(why) })
  const timer = setTimeout(() => away(words.keyringSlow(patienceMs / 1000)), patienceMs)
  child.once('message', (message) => {
    const heard = KeyringAnswer.parse(message)
    if (heard.is === 'away') away(heard.why)
    else answer.resolve(heard)
  })
  child.once('error', ({ message }) => away(message))
  child.once('exit', (code, signal) => away(words.keyringEnded(String(signal ?? code))))
  child.send(tasks, (error) => error && away(error.message))
  try {
    return await answer.promise
  } finally {
    clearTimeout(timer)
    child.kill('SIGKILL')
  }
}
