import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type pg from 'pg'
import type { Member } from '../append-types.ts'

const at = (turn: number) => ({ phase: 'p', attempt: 1, turn })

/** The reservation of a call: the n-th of its run. */
export function reservedCall(
  run: string,
  turn: number,
  {
    microUsd,
    tokens = 10,
    persona = 'ann@1',
  }: { microUsd: number | undefined; tokens?: number; persona?: string },
): Member {
  const data = {
    call: 1,
    persona,
    provider: 'openrouter',
    model: 'm',
    reservedMicroUsd: microUsd ?? 0,
    reservedTokens: tokens,
  }
  return {
    run,
    reserve: { microUsd, tokens, persona },
    lines: [{ type: 'call.reserved', key: `p/1/${turn}/call-1/reserved`, ...at(turn), data }],
  }
}

/** What settles it. */
export function settledCall(run: string, turn: number, costMicroUsd: number, tokens = 10): Member {
  const data = {
    call: 1,
    status: 'settled',
    costMicroUsd,
    costSource: 'provider',
    inputTokens: tokens,
    outputTokens: 0,
  }
  return { run, lines: [{ type: 'call.settled', key: `p/1/${turn}/call-1/end`, ...at(turn), data }] }
}

/** What a process is told to spend. */
export interface Spending {
  databaseUrl: string
  runs: string[]
  /** Micro-dollars a call reserves; it costs from none of them to all. */
  cap: number
  /** Default true; otherwise all that was granted stays reserved. */
  settles?: boolean
  hold?: boolean
}

/** A process that spends; `left`: what each of its sessions was told there is, when it was refused. */
export function spendingProcess(spending: Spending): { left: Promise<number[]>; kill: () => Promise<void> } {
  const child = fork(fileURLToPath(new URL('./spending-process.fixture.ts', import.meta.url)), {
    serialization: 'advanced',
  })
  const exited = once(child, 'exit')
  const left = new Promise<number[]>((resolve, reject) => {
    child.once('message', (told: number[]) => {
      if (spending.hold) resolve(told)
      else void exited.then(() => resolve(told))
    })
    child.once('error', reject)
    child.once('exit', (code) => {
      if (code !== 0) reject(new Error(`the spending process ended with ${code}`))
    })
  })
  left.catch(() => {}) // A process that is killed on purpose.
  child.send(spending)
  return {
    left,
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}

export interface PoolRow {
  name: string
  used_micro_usd: string
  used_tokens: string
  ledger_micro_usd: string
  ledger_tokens: string
}

/** Every pool as it stands, with what the ledger says of it. */
export async function poolsOf(pool: pg.Pool): Promise<PoolRow[]> {
  const { rows } = await pool.query<PoolRow>('select * from devflow.pools_and_ledger() order by id')
  return rows
}
