import type { DevflowClient, Gate } from '@devflow/client'
import type { Words } from '../messages/words.ts'
import { inOneLine, wrap } from '../terminal/fit.ts'
import { outline } from '../terminal/outline.ts'
import { span } from '../terminal/quantities.ts'
import type { Screen } from '../terminal/screen.ts'

const INDENT = '  '

/** What a gate asks, and how it stands. */
export function gateLines(gate: Gate, { palette }: Screen, words: Words): string[] {
  const facts = [
    gate.id,
    words.gate.quorum(approvals(gate), gate.quorum),
    ...(gate.round ? [words.gate.round(gate.round, gate.maxRounds ?? gate.round)] : []),
    ...(gate.deadline === undefined ? [] : [timeLeft(gate.deadline, words)]),
  ]
  return [
    `${palette.notice('?')} ${palette.strong(inOneLine(gate.title))}  ${palette.faint(facts.join(' · '))}`,
    ...gate.decisions.map(
      ({ actor, decision, comment }) =>
        `${INDENT}${inOneLine(actor)}: ${decision}${comment ? `, “${inOneLine(comment)}”` : ''}`,
    ),
    ...(gate.delegations ?? []).map(
      ({ from, to }) => `${INDENT}${words.gate.inPlaceOf(inOneLine(from), inOneLine(to))}`,
    ),
  ]
}

/** It takes requests for changes, and the run may still go back from it. */
export const canGoBack = ({ allowChanges, round = 0, maxRounds = 0 }: Gate): boolean =>
  allowChanges !== undefined && round < maxRounds

export const approvals = (gate: Gate): number =>
  gate.decisions.filter(({ decision }) => decision === 'approve').length

export function timeLeft(deadline: string, { run }: Words, now = Date.now()): string {
  const ms = Date.parse(deadline) - now
  return ms > 0 ? run.left(span(ms)) : run.overdue
}

/** The artifacts that a gate is about, in the versions it is about; of each at most `most` lines. */
export async function subjectLines(
  client: DevflowClient,
  gate: Gate,
  { palette, width }: Screen,
  { gate: words }: Words,
  most = Number.POSITIVE_INFINITY,
): Promise<string[]> {
  if (gate.subject.length === 0) return []
  const { items } = await client.runs.artifacts(gate.runId, { retries: 3 })
  const parts = gate.subject.map(async ({ artifact, sha256 }) => {
    const version = items.find((item) => item.name === artifact && item.sha256 === sha256)?.version
    const content = await client.runs.artifact(gate.runId, artifact, { version, retries: 3 })
    const text = content.mediaType.includes('json') ? outline(content.json()) : content.text().split('\n')
    const lines = text.flatMap((line) => wrapIndented(line, width - INDENT.length))
    // One line too many is shown rather than counted.
    const isLong = lines.length > most + 1
    return [
      '',
      `${INDENT}${palette.accent(artifact)} ${palette.faint(`sha256 ${sha256.slice(0, 12)}`)}`,
      ...(isLong ? lines.slice(0, most) : lines).map((line) => `${INDENT}${line}`),
      ...(isLong ? [`${INDENT}${palette.faint(words.cut(lines.length - most))}`] : []),
    ]
  })
  return (await Promise.all(parts)).flat()
}

/** Wrapped lines keep the indent of their first, and a little more. */
function wrapIndented(line: string, columns: number): string[] {
  const indent = /^ *(- )?/.exec(line)?.[0].length ?? 0
  const [first = '', ...rest] = wrap(line.trimStart(), columns - indent - 2)
  return [
    `${' '.repeat(line.length - line.trimStart().length)}${first}`,
    ...rest.map((each) => ' '.repeat(indent) + each),
  ]
}
