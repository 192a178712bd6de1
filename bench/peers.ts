import { execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { cacheFolder, giveWay, USUAL_NICE } from '@devflow/local-stack'
import { cpuMs } from './cpu.ts'

const SOURCES = fileURLToPath(new URL('./peers', import.meta.url))

export type PeerName = 'dbos' | 'restate' | 'temporal'

/** What a peer plays: `flows` workflows of `steps` steps each, `atOnce` in flight; of Temporal also what `WaitingRound` says. */
export type Round = StepsRound | WaitingRound

interface StepsRound {
  flows: number
  steps: number
  atOnce: number
  /** A step is a piece written to the workflow's stream. Only of DBOS. */
  streams?: boolean
}

/** Workflows that wait for an update: brought there, each updated, waited for until they are over. */
type WaitingRound =
  | { ask: 'wait'; flows: number; atOnce: number }
  | { ask: 'decide'; atOnce: number }
  | { ask: 'end' }

export interface Peer {
  /** Plays a round; answers how long it took, in ms. */
  play(round: Round): Promise<number>
  /** Processor time of its processes so far, in ms. */
  cpuMs(): number
  stop(): Promise<void>
}

/**
 * Installs a peer with npm into the cache folder, outside of the workspace, and starts it. Rejects where it cannot be
 * had: the caller says so in its row.
 */
export async function startPeer(name: PeerName, env: Record<string, string>): Promise<Peer> {
  const folder = await installed(name)
  const child = fork(join(folder, 'main.mjs'), {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    // As `devflow up` starts the server that it shares: one does not go before the other.
    detached: name === 'temporal',
  })
  const pid = child.pid ?? 0
  const ended = once(child, 'exit')
  const answer = <T>() =>
    new Promise<T>((resolve, reject) => {
      child.once('message', (message) => resolve(message as T))
      ended.then(() => reject(new Error(`${name} has ended`)), reject)
    })
  await answer()
  if (name === 'temporal') await giveWay(pid, USUAL_NICE)
  return {
    play: async (round) => {
      child.send(round)
      const { ms, problem } = await answer<{ ms?: number; problem?: string }>()
      if (ms === undefined) throw new Error(`${name}: ${problem}`)
      return ms
    },
    cpuMs: () => cpuMs([pid]),
    stop: async () => {
      child.send('end')
      await ended
    },
  }
}

async function installed(name: PeerName): Promise<string> {
  const folder = join(cacheFolder(process.env), 'bench', name)
  mkdirSync(folder, { recursive: true })
  cpSync(join(SOURCES, name), folder, { recursive: true })
  cpSync(join(SOURCES, 'answer-rounds.mjs'), join(folder, 'answer-rounds.mjs'))
  const env = { ...process.env, SCARF_ANALYTICS: 'false' }
  const args = ['install', '--no-audit', '--no-fund', '--loglevel=error', '--prefer-offline']
  await promisify(execFile)('npm', args, { cwd: folder, env, shell: process.platform === 'win32' })
  return folder
}
