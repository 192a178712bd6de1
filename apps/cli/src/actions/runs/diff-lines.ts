import type { RunDiff } from '@devflow/client'
import type { Words } from '../../messages/words.ts'
import { cut, harmless, inOneLine } from '../../terminal/fit.ts'
import { count, dollars, span } from '../../terminal/quantities.ts'
import type { Screen } from '../../terminal/screen.ts'
import { paintOf } from '../../terminal/status-paint.ts'
import { type Cell, table } from '../../terminal/table.ts'

type Change = RunDiff['input']['changes'][number]
type Artifact = RunDiff['artifacts'][number]
type Phase = NonNullable<RunDiff['phases'][number]['a']>

/** In a pipe nothing is cut. */
const fit = (text: string, { width }: Screen): string => cut(text, width)

/** What differs between two runs, to be read. */
export function diffLines(diff: RunDiff, screen: Screen, words: Words): string[] {
  const { forks } = words
  return [
    ...runRows(diff, screen, words),
    ...forkLines(diff, words),
    ...(diff.same ? ['', forks.same] : []),
    ...errorLines(diff, screen, words),
    ...section(forks.sections.input, valueLines(diff.input, screen, words), screen),
    ...section(forks.sections.definition, definitionLines(diff, screen, words), screen),
    '',
    ...phaseRows(diff, screen, words),
    ...section(
      forks.sections.artifacts,
      diff.artifacts.flatMap((each) => artifactLines(each, screen, words)),
      screen,
    ),
    ...section(forks.sections.output, valueLines(diff.output, screen, words), screen),
  ]
}

function runRows({ a, b }: RunDiff, screen: Screen, { run }: Words): string[] {
  const { columns, statuses } = run
  return table(
    [
      { title: '' },
      { title: columns.run, gives: true },
      { title: columns.status },
      { title: columns.tokens, align: 'right' },
      { title: columns.cost, align: 'right' },
      { title: columns.took, align: 'right' },
    ],
    [
      { ...a, name: 'a' },
      { ...b, name: 'b' },
    ].map(({ name, id, status, inputTokens, outputTokens, costMicroUsd, latencyMs }) => [
      name,
      id,
      { text: statuses[status] ?? status, paint: paintOf(status) },
      count(inputTokens + outputTokens),
      dollars(costMicroUsd),
      latencyMs === undefined ? '' : span(latencyMs),
    ]),
    screen,
  )
}

function forkLines({ a, b }: RunDiff, { forks }: Words): string[] {
  if (b.forkedFrom === a.id) return ['', `b: ${forks.forkedFrom} a`]
  return a.forkedFrom === b.id ? ['', `a: ${forks.forkedFrom} b`] : []
}

function errorLines({ a, b }: RunDiff, screen: Screen, { forks }: Words): string[] {
  if (a.error?.code === b.error?.code && a.error?.message === b.error?.message) return []
  const said = (error: RunDiff['a']['error']) =>
    error ? `${error.code}: ${inOneLine(error.message)}` : forks.nothing
  return section(
    forks.sections.error,
    [fit(`- ${said(a.error)}`, screen), fit(`+ ${said(b.error)}`, screen)].map((line) =>
      painted(line, screen),
    ),
    screen,
  )
}

function definitionLines({ definition }: RunDiff, screen: Screen, { forks }: Words): string[] {
  const { bindings, parts } = definition
  return [
    ...bindings.flatMap(({ role, a, b }) => [
      fit(`${role}: ${a ?? forks.nothing} → ${b ?? forks.nothing}`, screen),
    ]),
    ...parts.map((part) => fit(`${part}: ${forks.changes.changed}`, screen)),
  ]
}

function phaseRows({ phases }: RunDiff, screen: Screen, words: Words): string[] {
  const { columns } = words.run
  const row = (id: string, name: string, phase: Phase | undefined): Cell[] => [
    id,
    name,
    statusCell(phase, words),
    phase ? count(phase.attempts) : '',
    phase ? count(phase.inputTokens + phase.outputTokens) : '',
    phase ? dollars(phase.costMicroUsd) : '',
    phase?.latencyMs === undefined ? '' : span(phase.latencyMs),
  ]
  return table(
    [
      { title: columns.phase, gives: true },
      { title: '' },
      { title: columns.status },
      { title: '#', align: 'right' },
      { title: columns.tokens, align: 'right' },
      { title: columns.cost, align: 'right' },
      { title: columns.took, align: 'right' },
    ],
    phases.flatMap(({ id, a, b }) => [row(id, 'a', a), row('', 'b', b)]),
    screen,
  )
}

function statusCell(phase: Phase | undefined, { run, forks }: Words): Cell {
  if (!phase) return { text: forks.notThere, paint: 'faint' }
  const status = run.statuses[phase.status] ?? phase.status
  return { text: phase.reused ? `${status}, ${forks.takenOver}` : status, paint: paintOf(phase.status) }
}

function artifactLines(artifact: Artifact, screen: Screen, words: Words): string[] {
  const { forks } = words
  const { name, change, text, omitted, changes = [], more } = artifact
  if (change === 'same') return []
  const head = `${inOneLine(name)}: ${forks.changes[change]}${omitted ? ` (${forks.omitted[omitted]})` : ''}`
  // The first two lines of a patch name what stands in the heading.
  const patch = text === undefined ? [] : harmless(text).trimEnd().split('\n').slice(2)
  return [
    fit(head, screen),
    ...patch.map((line) => painted(fit(line, screen), screen)),
    ...valueLines({ changes, ...(more === undefined ? {} : { more }) }, screen, words),
  ]
}

function valueLines({ changes, more }: RunDiff['input'], screen: Screen, { forks }: Words): string[] {
  return [
    ...changes.flatMap((change) => changeLines(change).map((line) => painted(fit(line, screen), screen))),
    ...(more === undefined ? [] : [forks.more(more)]),
  ]
}

function changeLines({ path, change, a, b }: Change): string[] {
  const said = (sign: string, value: unknown) =>
    inOneLine(`${sign} ${path === '' ? '' : `${path}: `}${JSON.stringify(value)}`)
  return [...(change === 'added' ? [] : [said('-', a)]), ...(change === 'removed' ? [] : [said('+', b)])]
}

function painted(line: string, { palette }: Screen): string {
  if (line.startsWith('+')) return palette.good(line)
  return line.startsWith('-') ? palette.bad(line) : line
}

/** Nothing where there is nothing to say. */
function section(title: string, lines: readonly string[], { palette }: Screen): string[] {
  return lines.length === 0 ? [] : ['', palette.faint(title), ...lines]
}
