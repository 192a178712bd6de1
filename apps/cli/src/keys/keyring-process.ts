// Asks the operating system's keyring for its parent, and ends with its answer. A process of its own: a keyring waits for a
// person for as long as it likes, which nothing but the end of the process can stop; and native code is loaded by who needs it.
import { z } from 'zod'
import { type KeyringAnswer, KeyringTask } from './keyring-messages.ts'

const SERVICE = 'devflow'

process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'))
process.once('message', async (message) => {
  const answer = await answerTo(z.array(KeyringTask).parse(message))
  process.send?.(answer, () => process.disconnect?.())
})

async function answerTo(tasks: readonly KeyringTask[]): Promise<KeyringAnswer> {
  try {
    const { AsyncEntry } = await import('@napi-rs/keyring')
    const results: (string | boolean | null)[] = []
    for (const task of tasks) {
      // Never the kernel's keyring, which is taken unless told: it forgets everything when the machine is started anew.
      const entry = new AsyncEntry(SERVICE, task.account, { linux: { store: 'secret-service' } })
      if (task.do === 'get') results.push(await entry.getPassword())
      else if (task.do === 'delete') results.push(await entry.deletePassword())
      else {
        await entry.setPassword(task.key)
        results.push(true)
      }
    }
    return { is: 'done', results }
  } catch (error) {
    return { is: 'away', why: error instanceof Error ? error.message : String(error) }
  }
}
