import { shortId } from '../ids.ts'
import type { Words } from '../messages/words.ts'
import { cut, padEnd, padStart, widthOf } from '../terminal/fit.ts'
import type { Paint, Palette } from '../terminal/palette.ts'
import { count, dollars, span } from '../terminal/quantities.ts'
import { paintOf } from '../terminal/status-paint.ts'
import { depthOf, type PhaseProgress, type RunProgress } from './run-progress.ts'

interface FrameSize {
  width: number
  rows: number
}

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']

/** How a status looks: a sign that says it without colour too. */
const LOOKS: Record<string, { sign: string; paint: Paint }> = {
  pending: { sign: '·', paint: 'faint' },
  waiting: { sign: '?', paint: 'notice' },
  completed: { sign: '✓', paint: 'good' },
  failed: { sign: '✗', paint: 'bad' },
  skipped: { sign: '–', paint: 'faint' },
  canceled: { sign: '–', paint: 'notice' },
  compensated: { sign: '↩', paint: 'notice' },
}

/** Rows that are no phases: heading, two blank ones, footer, and one that stays free. */
const OTHER_ROWS = 6

/** A run as lines that fit the terminal. `tick` turns the spinner; `now` is the server's time in ms. */
export function frameOf(run: RunProgress, { words, palette, size, tick, now }: FrameContext): string[] {
  const rows = [...run.phases.values()].map((phase) => ({
    ...phase,
    label: '  '.repeat(depthOf(run, phase)) + phase.id,
  }))
  const phases = window(rows, Math.max(3, size.rows - OTHER_ROWS))
  const columns = columnsOf(phases.shown, words, size.width)
  return [
    heading(run, { words, palette, size, now }),
    '',
    ...(phases.before > 0 ? [palette.faint(`  ${words.run.more(phases.before)}`)] : []),
    ...phases.shown.map((phase) => phaseLine(phase, columns, { words, palette, tick, now })),
    ...(phases.after > 0 ? [palette.faint(`  ${words.run.more(phases.after)}`)] : []),
    '',
    footer(run, words, palette, size.width),
  ]
}

/** A phase with its name, moved in by what it is inside of. */
type Row = PhaseProgress & { label: string }

export interface FrameContext {
  words: Words
  palette: Palette
  size: FrameSize
  tick: number
  now: number
}

function heading(run: RunProgress, { words, palette, size, now }: Omit<FrameContext, 'tick'>): string {
  const status = words.run.statuses[run.status] ?? run.status
  const took = span((run.endedAt ?? now) - run.createdAt)
  const room = size.width - widthOf(`${status}  ${took}`) - 2
  // The id whole, to be copied, where there is room for it.
  const id = widthOf(`${run.template}  ${run.id}`) <= room ? run.id : shortId(run.id)
  const template = cut(run.template, Math.max(8, room - id.length - 2))
  const gap = ' '.repeat(Math.max(0, room - widthOf(`${template}  ${id}`)))
  const left = `${palette.strong(template)}  ${palette.faint(id)}`
  return `${left}${gap}  ${palette[paintOf(run.status)](status)}  ${palette.faint(took)}`
}

function footer(run: RunProgress, words: Words, palette: Palette, width: number): string {
  const limit = run.limitMicroUsd === undefined ? '' : ` ${words.run.of(dollars(run.limitMicroUsd))}`
  const usage = words.run.usage(count(run.inputTokens), count(run.outputTokens))
  const left = `${usage} · ${dollars(run.cost.microUsd)}${limit}`
  const whole = `${left} · ${words.run.leave}`
  return palette.faint(cut(run.endedAt === undefined && widthOf(whole) <= width ? whole : left, width))
}

interface Columns {
  id: number
  doing: number
  tokens: number
  cost: number
  took: number
}

const TOKENS_WIDTH = 14
const COST_WIDTH = 8
const TOOK_WIDTH = 8
const LEAST_DOING = 16

/** Columns by what there is room for: who and what give way, then the tokens. */
function columnsOf(phases: readonly Row[], words: Words, width: number): Columns {
  const id = Math.min(24, Math.max(...phases.map((phase) => widthOf(phase.label)), 4))
  const tokens = Math.max(
    ...phases.map((phase) => widthOf(words.run.tokens(count(phase.tokens)))),
    TOKENS_WIDTH,
  )
  const fixed = 2 + id + 2 + 2 + COST_WIDTH + 2 + TOOK_WIDTH
  const withTokens = width - fixed - tokens - 2
  const showsTokens = withTokens >= LEAST_DOING
  return {
    id,
    doing: Math.max(0, showsTokens ? withTokens : width - fixed),
    tokens: showsTokens ? tokens : 0,
    cost: COST_WIDTH,
    took: TOOK_WIDTH,
  }
}

function phaseLine(
  phase: Row,
  columns: Columns,
  { words, palette, tick, now }: Omit<FrameContext, 'size'>,
): string {
  const look = LOOKS[phase.status]
  const sign = look ? palette[look.paint](look.sign) : palette.accent(SPINNER[tick % SPINNER.length] ?? '·')
  const hasCalls = phase.turns > 0 || phase.tokens > 0
  const took =
    phase.startedAt === undefined || phase.status === 'pending'
      ? ''
      : span((phase.endedAt ?? now) - phase.startedAt)
  const cells = [
    padEnd(cut(phase.label, columns.id), columns.id),
    palette[phase.status === 'failed' ? 'bad' : 'faint'](
      padEnd(cut(doingOf(phase, words), columns.doing), columns.doing),
    ),
    ...(columns.tokens > 0
      ? [padStart(hasCalls ? words.run.tokens(count(phase.tokens)) : '', columns.tokens)]
      : []),
    padStart(hasCalls ? dollars(phase.cost.microUsd) : '', columns.cost),
    palette.faint(padStart(took, columns.took)),
  ]
  return `${sign} ${phase.status === 'pending' ? palette.faint(cells.join('  ')) : cells.join('  ')}`.trimEnd()
}

/** What a phase does, or who did it. */
function doingOf(phase: PhaseProgress, words: Words): string {
  const { run } = words
  const attempt = phase.attempt > 1 ? `${run.attempt(phase.attempt)}, ` : ''
  if (phase.status === 'failed') return `${attempt}${phase.error ?? run.statuses.failed ?? ''}`
  if (phase.status === 'waiting' && phase.kind !== 'workflow')
    return phase.kind === 'gate' ? run.forDecision : run.forSignal(phase.id)
  if (phase.status === 'running' && phase.turn !== undefined) {
    const doing = phase.tool === undefined ? run.asking : run.using(phase.tool)
    return `${attempt}${run.turn(phase.turn)}: ${doing}`
  }
  if (phase.decision !== undefined) return run.statuses[phase.decision] ?? phase.decision
  if (phase.turns > 0) return `${attempt}${phase.persona ?? ''}, ${run.turns(phase.turns)}`
  return `${attempt}${phase.persona ?? phase.kind}`
}

/** The phases that matter where there are more than fit: around the last one that has begun. */
function window(phases: readonly Row[], most: number) {
  if (phases.length <= most) return { before: 0, shown: phases, after: 0 }
  const room = most - 2
  const last = phases.findLastIndex(({ status }) => status !== 'pending')
  const from = Math.min(Math.max(0, last - Math.floor(room * 0.6)), phases.length - room)
  return { before: from, shown: phases.slice(from, from + room), after: phases.length - from - room }
}
