import type { Queryable } from '../read/queryable.ts'
import { workspaceBusy } from '../workspace/index.ts'

export type Verb = 'cancel' | 'pause' | 'resume' | 'retry'

/**
 * `unchanged`: the run is as asked already. `over`: it has finished. `not_failed`: only failed runs are retried.
 * `compensated`: what it had done was undone, so it cannot go on.
 */
export type CommandAnswer = 'done' | 'unchanged' | 'not_found' | 'over' | 'not_failed' | 'compensated'

const BUSY = /^busy (.+)$/

export interface Command {
  run: string
  verb: Verb
  actor: string
  reason?: string
  /** How it came in: `api`, `temporal`. */
  via: string
}

/**
 * Commands a run: one guarded transaction that leaves an event and a wake. Throws CONFLICT `workspace_busy` for a retry of
 * a run whose exclusive workspace is another's by now.
 */
export async function commandRun(
  db: Queryable,
  { run, verb, actor, reason, via }: Command,
): Promise<CommandAnswer> {
  const { rows } = await db.query<{ answer: CommandAnswer | `busy ${string}` }>({
    name: 'command-run',
    text: 'select devflow.command($1, $2, $3, $4, $5) as answer',
    values: [run, verb, actor, reason ?? null, via],
  })
  const answer = rows[0]?.answer ?? 'not_found'
  const holder = BUSY.exec(answer)?.[1]
  if (holder !== undefined) throw workspaceBusy(holder)
  return answer as CommandAnswer
}
