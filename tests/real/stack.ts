import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/[\\/]$/, '')
const MAIN = join(ROOT, 'apps', 'cli', 'src', 'main.ts')

/** Two signals closer than 250 ms are one to it; a second one means: at once. */
const APART_MS = 500

/** What would lead a stack to data, servers or a place of somebody's own. */
const OF_SOMEBODY = /^(DEVFLOW_(?!CACHE$)|DATABASE_URL$|TEMPORAL_|OTEL_|OPENROUTER_)/

export interface RealStack {
  readonly api: string
  readonly temporalUi: string
  stop(): Promise<void>
}

/**
 * `devflow up` on a data folder of its own, for runs on this checkout; after an abort of the signal it stops at once. Rejects with what was printed when it ends before it
 * is ready, and with the signal's reason, when it has ended, after an abort.
 */
export async function startRealStack(
  data: string,
  env: Record<string, string>,
  signal: AbortSignal,
): Promise<RealStack> {
  signal.throwIfAborted()
  const child = spawn(
    process.execPath,
    [...[MAIN, 'up', '--json', '--no-sample', '--port', '0'], ...['--data', data, '--workspace-root', ROOT]],
    {
      cwd: ROOT,
      env: {
        ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !OF_SOMEBODY.test(name))),
        ...env,
      },
      // The channel tells it when this process is gone, by kill -9 too.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Ctrl-C is ours: the stack ends when the forwarder does not need it any more.
      detached: true,
    },
  )
  const ended = once(child, 'close')
  const stop = async () => {
    child.kill('SIGTERM')
    // Who was told to end does not wait for the model's turn.
    const again = signal.aborted ? setTimeout(() => child.kill('SIGTERM'), APART_MS) : undefined
    await ended
    clearTimeout(again)
  }
  let printed = ''
  child.stderr?.on('data', (text) => {
    printed += text
  })
  const ready = new Promise<{ api: string; temporalUi: string }>((resolve, reject) => {
    if (child.stdout)
      createInterface({ input: child.stdout }).on('line', (line) => {
        printed += `${line}\n`
        const said = JSON.parse(line)
        if (said.event === 'ready') resolve(said)
      })
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    ended.then(() => reject(new Error(`Devflow ended before it was ready:\n${printed}`)), reject)
  })
  try {
    const { api, temporalUi } = await ready
    return { api, temporalUi, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
