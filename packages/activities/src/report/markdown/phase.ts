import type { ErrorRecord, ReportPhase } from '@devflow/contracts'
import { listing } from './listing.ts'
import { bytes, counted, dollars, duration, moment } from './quantities.ts'
import { code, inline, quoted } from './safe-text.ts'

/** The chapter of one phase: what it made, by whom, after how many tries, for how much. */
export function phaseChapter(phase: ReportPhase, index: number, runId: string): string[] {
  const title = phase.title ? `${inline(phase.title)} (${code(phase.id)})` : code(phase.id)
  const lines = [`## ${index + 1}. ${title}: ${outcomeOf(phase)}`, '', `${work(phase)}.`]
  const chapters = [tries(phase), gate(phase), made(phase, runId)].filter((part) => part.length > 0)
  return [...lines, ...chapters.flatMap((part) => ['', ...part])]
}

/** What people call it: a gate is approved or rejected, whatever that makes of its phase. */
export function outcomeOf({ gate, status, reused }: ReportPhase): string {
  if (status === 'pending') return 'not reached'
  const said = gate && status !== 'canceled' ? gate.status : status
  return reused ? `${said}, taken over` : said
}

function work(phase: ReportPhase): string {
  const { persona, model, turns, startedAt, endedAt, attempts } = phase
  const kind = phase.kind.slice(0, 1).toUpperCase() + phase.kind.slice(1)
  const by = persona ? `${kind} ${code(persona)}${model ? ` on ${code(model)}` : ''}` : kind
  if (phase.status === 'pending') return `${by}, not reached`
  if (phase.status === 'skipped')
    return `${by}, skipped${phase.when === undefined ? '' : `: ${code(phase.when)} did not hold`}`
  if (!startedAt) return `${by}, not begun`
  const took = endedAt ? ` for ${duration(Date.parse(endedAt) - Date.parse(startedAt))}` : ''
  const parts = [
    `${by}, from ${moment(startedAt)}${took}`,
    ...(attempts > 1 ? [counted(attempts, 'attempt')] : []),
    ...(turns > 0 ? [counted(turns, 'turn')] : []),
    ...(phase.toolCalls > 0
      ? [
          `${counted(phase.toolCalls, 'tool call')}${phase.toolsDenied > 0 ? ` (${phase.toolsDenied} denied)` : ''}`,
        ]
      : []),
    ...(phase.unsandboxed ? [`**${counted(phase.unsandboxed, 'command')} without a sandbox**`] : []),
    ...(phase.repairs > 0 ? [counted(phase.repairs, 'repair')] : []),
    ...(phase.takenOver > 0 ? [`taken over by another worker ${times(phase.takenOver)}`] : []),
    ...(phase.models.length > 0 ? [dollars(phase.costMicroUsd)] : []),
    ...(phase.unsettledMicroUsd > 0 ? [`up to ${dollars(phase.unsettledMicroUsd)} not settled yet`] : []),
  ]
  return parts.join(', ')
}

const times = (amount: number) => (amount === 1 ? 'once' : `${amount} times`)

/** What went wrong on the way, also where it went well in the end. */
function tries({ failures, rejections, attempts, gate }: ReportPhase): string[] {
  // That a gate was rejected is said with its decisions.
  if (gate) return []
  const known = rejections.map(({ errors }) => JSON.stringify(errors))
  const lines = [
    ...rejections.map(({ attempt, turn, errors }) => ({
      attempt,
      turn,
      lines: [
        `- ${attempts > 1 ? `Attempt ${attempt}, turn` : 'Turn'} ${turn} did not fit${errors.length > 0 ? ':' : '.'}`,
        ...indented(details({ errors })),
      ],
    })),
    ...failures.map(({ attempt, error }) => ({
      attempt,
      turn: Number.MAX_SAFE_INTEGER,
      lines: [
        `- ${attempts > 1 ? `Attempt ${attempt}` : 'It'} failed: ${problem(error)}`,
        // What was wrong with the last answer is what the phase fails with.
        ...(known.includes(JSON.stringify(error.errors)) ? [] : indented(details(error))),
      ],
    })),
  ]
  return lines.sort((a, b) => a.attempt - b.attempt || a.turn - b.turn).flatMap(({ lines }) => lines)
}

const indented = (lines: readonly string[]) => lines.map((line) => `  ${line}`)

/** An error in a line. */
export const problem = ({ code: name, kind, message }: ErrorRecord): string =>
  `**${inline(name)}** (${kind}): ${inline(message)}`

/** What is wrong where, as a list. */
export const details = ({ errors = [] }: Pick<ErrorRecord, 'errors'>): string[] =>
  errors.map(({ path, message }) => `- ${path === '' ? 'the whole' : code(path)}: ${inline(message)}`)

function gate({ gate, attempts }: ReportPhase): string[] {
  if (!gate) return []
  const about = gate.subject.map(({ artifact, sha256 }) => `${code(artifact)} (${code(sha256.slice(0, 12))})`)
  const needed = gate.quorum > 1 ? `, ${gate.quorum} approvals needed` : ''
  const escalated = gate.escalatedAt ? `, escalated on ${moment(gate.escalatedAt)}` : ''
  const closed = gate.closedBy === 'deadline' ? ' by its deadline' : ''
  return [
    `“${inline(gate.title)}”${about.length > 0 ? ` about ${about.join(', ')}` : ''}${needed}: **${gate.status}**${closed}${escalated}.`,
    '',
    ...(gate.decisions.length === 0 ? ['Nobody decided.'] : []),
    ...(gate.openings
      ? gate.openings.flatMap((opening, index) => [
          ...(index > 0 ? [''] : []),
          `${openingWords(opening, index)}`,
          '',
          ...decisionsOf(gate, attempts, opening.attempt),
        ])
      : decisionsOf(gate, attempts)),
  ]
}

type Gate = NonNullable<ReportPhase['gate']>

function openingWords(
  { openedAt, outcome, goto }: NonNullable<Gate['openings']>[number],
  index: number,
): string {
  const ended = (outcome ?? 'not decided').replace('_', ' ')
  const back = goto === undefined ? '' : `, back to ${code(goto)}`
  return `Opening ${index + 1}, on ${moment(openedAt)}: **${ended}**${back}.`
}

/** The decisions of one opening, or of all, and who handed theirs on. */
function decisionsOf({ decisions, delegations = [] }: Gate, attempts: number, opening?: number): string[] {
  const of = ({ attempt }: { attempt: number }) => opening === undefined || attempt === opening
  return [
    ...delegations.filter(of).map(({ from, to, at }) => {
      return `- **${inline(from)}** let ${inline(to)} decide on ${moment(at)}`
    }),
    ...decisions
      .filter(of)
      .flatMap(({ actor, decision, comment, at, via, attempt }) => [
        `- **${inline(actor)}** said **${decision.replace('_', ' ')}** on ${moment(at)}${via === 'api' ? '' : ` through ${inline(via)}`}${attempts > 1 && opening === undefined ? ` (attempt ${attempt})` : ''}`,
        ...(comment ? quoted(comment.trim()).map((line) => `  ${line}`) : []),
      ]),
  ]
}

function made({ artifact, output, kind }: ReportPhase, runId: string): string[] {
  if (artifact) {
    const { name, version, sha256, content } = artifact
    const more = code(`GET /v1/runs/${runId}/artifacts/${name}?version=${version}`)
    return [
      `Artifact ${code(name)}, version ${version}, ${bytes(artifact.bytes)}, SHA-256 ${code(sha256.slice(0, 12))}:`,
      '',
      ...listing(content, more),
    ]
  }
  if (output === undefined || output === null) return []
  const said = kind === 'agent' && isText(output) ? output.text : output
  const more = code(`GET /v1/runs/${runId}/report`)
  return [
    kind === 'agent' || kind === 'function' ? 'It answered:' : 'It was given:',
    '',
    ...listing(said, more),
  ]
}

function isText(output: unknown): output is { text: string } {
  return output !== null && typeof output === 'object' && 'text' in output && typeof output.text === 'string'
}
