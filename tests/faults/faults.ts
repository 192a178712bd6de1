import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import fc from 'fast-check'
import { call } from '../crash/runs.ts'
import type { Stack } from '../crash/stack.ts'
import { familyOf } from '../support/family.ts'

/**
 * What is done to a stack: the parts killed, `freeze` a worker and `stall` another part stopped for a while and woken. `clock`:
 * that of API and workers jumps. `budgets`: shared ones are set or taken back; `asking`: one that asks is set. `store`: Temporal's
 * store is deleted while all is down.
 */
const FAULTS = [
  'worker',
  'api',
  'temporal',
  'postgres',
  'freeze',
  'stall',
  'pause',
  'clock',
  'budgets',
  'asking',
  'all',
  'store',
] as const
export type FaultKind = (typeof FAULTS)[number]

export interface Fault {
  kind: FaultKind
  /** When: after this share of the work. */
  at: number
}

/** So many faults at moments that the seed says, in order; `also` are among them. `store` and `asking` come only so. */
export function planned(seed: number, most: number, also: readonly FaultKind[]): Fault[] {
  const at = fc.integer({ min: 0, max: 95 }).map((percent) => percent / 100)
  const kinds = FAULTS.filter((kind) => kind !== 'store' && kind !== 'asking')
  const some = fc.array(fc.record({ kind: fc.constantFrom(...kinds), at }), {
    minLength: most - also.length,
    maxLength: most - also.length,
  })
  const sure = fc.tuple(...also.map((kind) => at.map((moment): Fault => ({ kind, at: moment }))))
  const [plan] = fc.sample(fc.tuple(some, sure), { seed, numRuns: 1 })
  return (plan ?? []).flat().sort((a, b) => a.at - b.at)
}

/** Clocks go forward and back by at most half of it: two days. */
const FARTHEST_MS = 2 * 86_400_000

/** The environment of a stack whose clocks this file sets. */
export const settableClocks = (file: string): Record<string, string> => ({
  NODE_OPTIONS: `--import ${new URL('./skewed-clock.fixture.ts', import.meta.url).href}`,
  DEVFLOW_FAULTS_CLOCK: file,
})

/** Longer than a session's heartbeat timeout in these stacks. */
const FROZEN_MS = 4_000
const PAUSED_MS = 500

/** Carries out a plan, by how far the work is; answers what was done. */
export async function strike(
  stack: Stack,
  plan: readonly Fault[],
  { share, isOver, clock }: { share: () => number; isOver: () => boolean; clock: string },
): Promise<FaultKind[]> {
  const done: FaultKind[] = []
  for (const { kind, at } of plan) {
    while (share() < at && !isOver()) await pause(50)
    if (isOver()) break
    done.push(kind)
    await inflict(stack, kind, clock)
  }
  return done
}

async function inflict(stack: Stack, kind: FaultKind, clock: string): Promise<void> {
  const { pids } = stack.ready
  const [worker = 0] = pids.workers.toSorted(() => Math.random() - 0.5)
  switch (kind) {
    case 'worker':
      return await stack.killAndWait(worker)
    case 'api':
      return await stack.killAndWait(pids.api)
    case 'temporal':
      return await stack.killAndWait(pids.temporal)
    case 'postgres':
      return await stack.killAndWait(pids.postgres)
    case 'all':
      return await stack.killAndWait(...Object.values(pids).flat())
    case 'freeze':
      return await freeze([worker])
    case 'stall': {
      const [part = 0] = [pids.api, pids.temporal, pids.postgres].toSorted(() => Math.random() - 0.5)
      return await freeze(familyOf(part))
    }
    case 'pause':
      return await pauseAll(stack)
    case 'clock':
      return writeFileSync(clock, String(Math.round((Math.random() - 0.5) * FARTHEST_MS)))
    case 'budgets':
      return await setBudgets(stack, SHARED_BUDGETS[Math.floor(Math.random() * SHARED_BUDGETS.length)])
    case 'asking':
      return await setBudgets(stack, [{ scope: 'persona-day', limitTokens: 3_000, onExceeded: 'prompt' }])
    case 'store':
      await stack.down('SIGKILL')
      for (const file of ['temporal.db', 'temporal.db-wal', 'temporal.db-shm'])
        rmSync(join(stack.dataDir, file), { force: true })
      return await stack.up()
  }
}

/** Budgets that all runs share and that hold up none: every call is counted against them, and some go past them. */
const SHARED_BUDGETS = [
  [],
  [{ scope: 'tenant-day', limitTokens: 1, onExceeded: 'warn_continue' }],
  [
    { scope: 'persona-day', limitMicroUsd: 1, onExceeded: 'warn_continue', allowUnpriced: true },
    { scope: 'day', limitMicroUsd: 1e12, onExceeded: 'block', allowUnpriced: true },
  ],
]

async function setBudgets(stack: Stack, budgets: object[] = []): Promise<void> {
  const { status } = await call(stack, '/v1/budgets', { method: 'PUT', body: JSON.stringify(budgets) })
  if (status !== 200) throw new Error(`PUT /v1/budgets answered ${status}`)
}

async function freeze(pids: readonly number[]): Promise<void> {
  const stopped = pids.filter((pid) => tell(pid, 'SIGSTOP'))
  await pause(FROZEN_MS)
  for (const pid of stopped) tell(pid, 'SIGCONT')
}

/** False when it has ended by itself. */
function tell(pid: number, signal: 'SIGSTOP' | 'SIGCONT'): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}

/** Pauses all that goes on, and lets it go on. */
async function pauseAll(stack: Stack): Promise<void> {
  const query =
    "select id from devflow.runs where parent is null and status in ('queued', 'running', 'waiting')"
  // A connection from before a kill fails once.
  const { rows } = await stack.pool
    .query<{ id: string }>(query)
    .catch(() => stack.pool.query<{ id: string }>(query))
  const command = async (verb: string) => {
    for (const { id } of rows) await call(stack, `/v1/runs/${id}/${verb}`, { method: 'POST', body: '{}' })
  }
  await command('pause')
  await pause(PAUSED_MS)
  await command('resume')
}
