import type { Run, RunEvent } from '@devflow/client'
import { Sum } from '../terminal/quantities.ts'

/** A phase as far as the events tell. Times are in ms since 1970, of the server's clock. */
export interface PhaseProgress {
  readonly id: string
  /** The phase it is inside of. */
  inside?: string
  kind: string
  status: string
  attempt: number
  persona?: string
  turns: number
  /** The turn under way. */
  turn?: number
  /** The tool in use. */
  tool?: string
  tokens: number
  readonly cost: Sum
  startedAt?: number
  endedAt?: number
  error?: string
  /** How its gate was closed. */
  decision?: string
}

/** What is known of a run while it is followed: its events, added up. */
export interface RunProgress {
  readonly id: string
  readonly template: string
  readonly limitMicroUsd: number | undefined
  status: string
  readonly phases: Map<string, PhaseProgress>
  inputTokens: number
  outputTokens: number
  readonly cost: Sum
  /** How far the server's clock is ahead of ours at least, in ms: nothing that has happened lies in the future. */
  skew: number
  readonly createdAt: number
  endedAt?: number
}

export function progressOf(run: Run): RunProgress {
  const phases = run.phases.map(({ id, kind }) => newPhase(id, kind))
  return {
    id: run.id,
    template: run.template,
    limitMicroUsd: run.budget.limitMicroUsd,
    status: 'queued',
    phases: new Map(phases.map((phase) => [phase.id, phase])),
    inputTokens: 0,
    outputTokens: 0,
    cost: new Sum(),
    skew: 0,
    createdAt: Date.parse(run.createdAt),
  }
}

const newPhase = (id: string, kind: string): PhaseProgress => ({
  ...{ id, kind, status: 'pending', attempt: 1, turns: 0, tokens: 0 },
  cost: new Sum(),
})

/** Adds an event. Types that it does not know change nothing. */
export function advance(run: RunProgress, event: RunEvent): void {
  const at = Date.parse(event.at)
  run.skew = Math.max(run.skew, at - Date.now())
  advanceRun(run, event, at)
  if (event.phase === undefined) return
  // An agent that was asked for help has turns of its own: of the phase it works for they are what they cost.
  const [id = event.phase, helper] = event.phase.split('~', 2)
  const phase = run.phases.get(id) ?? newPhase(id, textIn(event, 'kind') ?? '')
  run.phases.set(phase.id, phase)
  if (helper === undefined) advancePhase(phase, event, at)
  if (event.type === 'phase.expanded') takeInside(run, phase.id, event.data.phases)
  if (event.data.closes === true) closeInside(run, phase.id, at)
  if (event.type === 'call.settled') spend(run, phase, event)
}

/** Puts what is inside a phase behind it, and behind what else of it is there. */
function takeInside(run: RunProgress, outer: string, listed: unknown): void {
  if (!Array.isArray(listed)) return
  const inner = listed.flatMap((each: unknown) => {
    if (each === null || typeof each !== 'object' || !('id' in each) || !('kind' in each)) return []
    const id = String(each.id)
    return [{ ...(run.phases.get(id) ?? newPhase(id, String(each.kind))), inside: outer }]
  })
  const names = new Set(inner.map(({ id }) => id))
  const rows = [...run.phases.values()].filter(({ id }) => !names.has(id))
  let at = rows.findIndex(({ id }) => id === outer) + 1
  while (isInside(run, rows[at], outer)) at += 1
  rows.splice(at, 0, ...inner)
  run.phases.clear()
  for (const row of rows) run.phases.set(row.id, row)
}

/** However deep. */
function isInside(run: RunProgress, phase: PhaseProgress | undefined, outer: string): boolean {
  for (let id = phase?.inside; id !== undefined; id = run.phases.get(id)?.inside)
    if (id === outer) return true
  return false
}

/** A phase that ends before what is inside it is done ends that too. */
function closeInside(run: RunProgress, outer: string, at: number): void {
  for (const phase of run.phases.values()) {
    if (!['pending', 'running', 'waiting'].includes(phase.status) || !isInside(run, phase, outer)) continue
    phase.status = 'canceled'
    phase.endedAt = at
    stopTurn(phase)
  }
}

/** How deep a phase is inside others. */
export function depthOf(run: RunProgress, { inside }: PhaseProgress): number {
  const outer = inside === undefined ? undefined : run.phases.get(inside)
  return outer === undefined ? 0 : 1 + depthOf(run, outer)
}

const STATUS_AFTER: Record<string, string> = {
  'run.started': 'running',
  'run.waiting': 'waiting',
  'gate.closed': 'running',
  'wait.closed': 'running',
  'child.resumed': 'running',
  'run.pausing': 'pausing',
  'run.paused': 'paused',
  'run.resumed': 'running',
  'run.retried': 'running',
  'run.canceling': 'canceling',
  'run.completed': 'completed',
  'run.failed': 'failed',
  'run.canceled': 'canceled',
}

function advanceRun(run: RunProgress, { type }: RunEvent, at: number): void {
  const status = STATUS_AFTER[type]
  if (status === undefined) return
  run.status = status
  const isOver = ['completed', 'failed', 'canceled'].includes(status)
  run.endedAt = isOver ? at : undefined
  // What a cancel or a failure leaves behind has no end of its own.
  if (isOver) for (const phase of run.phases.values()) stopTurn(phase)
}

const PHASE_STATUS_AFTER: Record<string, string> = {
  'phase.started': 'running',
  'phase.completed': 'completed',
  'phase.failed': 'failed',
  'phase.skipped': 'skipped',
  'phase.retried': 'pending',
  'gate.opened': 'waiting',
  'wait.opened': 'waiting',
  'child.waiting': 'waiting',
  'child.resumed': 'running',
}

function advancePhase(phase: PhaseProgress, event: RunEvent, at: number): void {
  const status = PHASE_STATUS_AFTER[event.type]
  if (status !== undefined) phase.status = status
  if (event.attempt !== undefined) phase.attempt = event.attempt
  switch (event.type) {
    case 'phase.started':
      phase.startedAt = at
      phase.endedAt = undefined
      phase.error = undefined
      phase.kind = textIn(event, 'kind') ?? phase.kind
      phase.persona = textIn(event, 'persona')
      return
    case 'phase.completed':
    case 'phase.failed':
    case 'phase.skipped':
      phase.endedAt = at
      phase.error = messageIn(event.data.error)
      stopTurn(phase)
      return
    case 'turn.started':
      phase.turn = event.turn
      phase.tool = undefined
      return
    case 'turn.completed':
      phase.turns++
      return
    case 'gate.closed':
      phase.decision = textIn(event, 'status')
      return
    case 'tool.called':
      phase.tool = textIn(event, 'name')
      return
    case 'tool.completed':
    case 'tool.denied':
      phase.tool = undefined
  }
}

function stopTurn(phase: PhaseProgress): void {
  phase.turn = undefined
  phase.tool = undefined
}

function spend(run: RunProgress, phase: PhaseProgress, { data }: RunEvent): void {
  const input = numberIn(data.inputTokens)
  const output = numberIn(data.outputTokens)
  run.inputTokens += input
  run.outputTokens += output
  phase.tokens += input + output
  run.cost.add(numberIn(data.costMicroUsd))
  phase.cost.add(numberIn(data.costMicroUsd))
}

const numberIn = (value: unknown): number => (typeof value === 'number' ? value : 0)

function textIn({ data }: RunEvent, field: string): string | undefined {
  const value = data[field]
  return typeof value === 'string' ? value : undefined
}

function messageIn(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('message' in error)) return undefined
  return typeof error.message === 'string' ? error.message : undefined
}
