import { randomUUIDv7 } from 'node:crypto'
import {
  CHANNELS,
  DevflowError,
  ErrorRecord,
  isOver,
  kindOf,
  type Run,
  type WorkflowPhase,
} from '@devflow/contracts'
import { commandRun, type EventLine, pokeOutbox, type RunEnd, readEnds, startChild } from '@devflow/db'
import { checkInput, evaluateValue } from '@devflow/definition'
import { scopeOf } from '../scope/index.ts'
import { event, MOVED, type Move, type Step, viewFrom } from './step.ts'
import { timeLeft, timeoutError } from './time-left.ts'

/** Starts the run of a workflow phase, of the definition that was pinned with this run's (I9). */
export async function startChildRun(step: Step, workflow: WorkflowPhase): Promise<Move> {
  const { deps, progress, at } = step
  const pinned = step.definition.children?.[workflow.template]
  if (!pinned) throw new DevflowError('INTERNAL', 'unknown_child', `No definition of ${workflow.template}.`)
  const { definition, hash, bindings } = pinned
  const view = viewFrom(step)
  const input = deps.scrub(
    evaluateValue(workflow.input === undefined ? {} : workflow.input, await scopeOf(view, [workflow.input])),
  ) as Run['input']
  const [fault] = checkInput(definition, input)
  if (fault) {
    const message = `The input of ${definition.template} is not what it expects: ${fault.path}: ${fault.message}`
    throw new DevflowError('INVALID', 'invalid_input', message)
  }
  const { workspace } = progress
  const started = await startChild(deps.pool, {
    run: progress.runId,
    epoch: progress.executionEpoch,
    phase: at.id,
    attempt: at.attempt,
    child: randomUUIDv7(),
    definition,
    submitted: {
      format: 1,
      template: definition.template,
      title: definition.title,
      definitionHash: hash,
      input,
      labels: progress.labels,
      budget: definition.budget ?? {},
      // It looks at the same repository; who alone may work there is the parent's affair.
      ...(workspace
        ? { workspace: { repo: workspace.repo, ...(workspace.base ? { base: workspace.base } : {}) } }
        : {}),
      actor: progress.actor,
      parent: progress.runId,
      bindings,
      phases: definition.phases.map((phase) => ({ id: phase.id, kind: kindOf(phase) })),
    },
  })
  // Fenced or not, the log says more now.
  if (started) await pokeOutbox(deps.pool)
  return MOVED
}

/** Waits for the child, stops it when its time is up, and takes its end for the phase's. */
export async function afterChild(step: Step, child: string): Promise<Move> {
  const { deps, at } = step
  const left = timeLeft(step)
  const isLate = left !== undefined && left <= 0
  const [end] = await readEnds(deps.pool, [child])
  if (end && !isOver(end.status)) {
    const turned = turnLines(step, end)
    if (turned) return { lines: turned }
    if (isLate) await stopChildren(step, [child])
    const why = at.status === 'waiting' ? 'wait' : 'child'
    return { do: 'wait', why, ...(left === undefined || isLate ? {} : { afterMs: left }) }
  }
  const status = end?.status ?? 'deleted'
  const done: EventLine = event(step, 'child.completed', 'child/end', { run: child, status })
  if (status === 'completed')
    return { lines: [done, event(step, 'phase.completed', 'end', { output: end?.output ?? null })] }
  const error = isLate && status === 'canceled' ? timeoutError(step).record : errorOf(step, child, end)
  return { lines: [done, event(step, 'phase.failed', 'end', { error })] }
}

/** Why a child did not complete. What it has undone is its own affair: its parent's phase has undone nothing. */
function errorOf({ at, progress }: Step, child: string, end: RunEnd | undefined): ErrorRecord {
  if (end?.error) return ErrorRecord.parse(end.error)
  // Canceled before it had begun, it has no error of its own.
  if (end) return { kind: 'CANCELED', code: 'canceled', message: `The run ${child} was canceled.` }
  const message = `The run ${child} that ${at.id} of ${progress.runId} waited for was deleted.`
  return { kind: 'NOT_FOUND', code: 'child_deleted', message }
}

/** Puts on record that a child has begun to wait for somebody, or goes on: whoever looks at its parent is to see it. */
function turnLines(step: Step, { id: run, status }: RunEnd): EventLine[] | undefined {
  const { at, node, progress } = step
  // It may turn often: each time has a key of its own.
  if (status === 'waiting' && at.status === 'running') {
    const line = event(step, 'child.waiting', `child/waiting/${progress.seq}`, { run })
    // At the top nothing runs beside it.
    const data = { for: [{ kind: 'wait', id: at.id }] }
    return node.parent ? [line] : [line, { type: 'run.waiting', key: `waiting/${progress.seq}`, data }]
  }
  if ((status === 'running' || status === 'queued') && at.status === 'waiting')
    return [event(step, 'child.resumed', `child/resumed/${progress.seq}`, { run })]
  return undefined
}

/** Cancels those of these children that go on; true when there are any. */
export async function stopChildren({ deps, progress }: Step, children: readonly string[]): Promise<boolean> {
  if (children.length === 0) return false
  const going = (await readEnds(deps.pool, children)).filter(({ status }) => !isOver(status))
  for (const { id } of going) {
    const reason = `the phase of ${progress.runId} that started it was stopped`
    const answer = await commandRun(deps.pool, {
      run: id,
      verb: 'cancel',
      actor: progress.actor,
      reason,
      via: 'parent',
    })
    if (answer === 'done') await pokeOutbox(deps.pool)
    await deps.pool.query('select pg_notify($1, $2)', [CHANNELS.control, id])
  }
  return going.length > 0
}
