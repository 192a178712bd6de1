import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Run } from '@devflow/contracts'
import { cpuMs } from './cpu.ts'
import { writeEntries } from './entries.ts'

const START = fileURLToPath(new URL('../scripts/start.mjs', import.meta.url))

export interface Endpoints {
  api: string
  temporalAddress: string
  databaseUrl: string
  pids: { api: number; workers: number[]; temporal: number; postgres: number }
}

export interface Submission {
  template: string
  persona?: string
  repo?: string
}

/** A whole Devflow, started as a user starts it, on a data folder of its own. */
export interface Stack {
  readonly endpoints: Endpoints
  /** From the start of `npm start`'s script to the line that says all is ready, in ms. */
  readonly readyMs: number
  submit(submission: Submission): Promise<string>
  /** The run once it is over or waits for someone. */
  settled(run: string): Promise<Run>
  cpuMs(): number
  stop(): Promise<void>
}

/** Starts `npm start -- --json …` on `<folder>/data`. Rejects with what was printed when it ends before it is ready. */
export async function startStack(folder: string, env: Record<string, string> = {}): Promise<Stack> {
  writeEntries(join(folder, 'entries'))
  const started = performance.now()
  const child = spawn(
    process.execPath,
    [
      START,
      ...['--json', '--no-sample', '--port', '0', '--data', join(folder, 'data')],
      ...['--entries', join(folder, 'entries'), '--workspace-root', folder],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } },
  )
  const ended = once(child, 'exit')
  let printed = ''
  child.stderr.on('data', (text) => {
    printed += text
  })
  const endpoints = await new Promise<Endpoints>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      printed += `${line}\n`
      const said = JSON.parse(line)
      if (said.event === 'ready') resolve(said)
    })
    ended.then(() => reject(new Error(`Devflow ended before it was ready:\n${printed}`)))
  })
  const { api, pids } = endpoints
  return {
    endpoints,
    readyMs: performance.now() - started,
    submit: async ({ template, persona, repo }) => {
      const body = {
        template,
        input: {},
        bindings: { worker: persona ?? 'one-turn@1' },
        ...(repo === undefined ? {} : { workspace: { repo } }),
      }
      return (await call<Run>(`${api}/v1/runs`, body)).id
    },
    settled: async (run) => {
      for (;;) {
        const view = await call<Run>(`${api}/v1/runs/${run}`, undefined, { prefer: 'wait=60' })
        if (!['queued', 'running'].includes(view.status)) return view
      }
    },
    cpuMs: () => cpuMs([pids.api, pids.temporal, pids.postgres, ...pids.workers]),
    stop: async () => {
      child.kill('SIGTERM')
      await ended
    },
  }
}

/** One JSON request; throws what is no 2xx. */
export async function call<T>(url: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
  const answer = await fetch(url, {
    headers: { 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${text}`)
  return JSON.parse(text) as T
}

/** Fails unless the run has completed: a figure of failed runs would say nothing. */
export function expectCompleted({ id, status, error }: Run): void {
  if (status !== 'completed') throw new Error(`run ${id} is ${status}: ${error?.message ?? ''}`)
}
