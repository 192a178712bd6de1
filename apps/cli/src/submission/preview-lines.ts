import type { PhaseEstimate, PhasePreview, RunPreview } from '@devflow/client'
import type { Words } from '../messages/words.ts'
import { inOneLine, wrap } from '../terminal/fit.ts'
import { count, dollars } from '../terminal/quantities.ts'
import type { Screen } from '../terminal/screen.ts'
import { type Cell, table } from '../terminal/table.ts'

const MARK = '! '

/** A preview as a table: a line a phase, what is inside others indented, and all of it together. */
export function previewLines(preview: RunPreview, screen: Screen, words: Words): string[] {
  const { columns, preview: said, of } = words.run
  const { palette } = screen
  const limit = preview.budget.limitMicroUsd
  const depths = depthsOf(preview.phases)
  const agents = preview.phases.filter(({ kind }) => kind === 'agent')
  const rows = preview.phases.map(({ id, kind, persona, model, estimate }): Cell[] => [
    `${INDENT.repeat(depths.get(id) ?? 0)}${id}`,
    { text: persona ?? kind, paint: 'faint' },
    { text: model ?? '', paint: 'faint' },
    ...(kind === 'agent' ? amounts(estimate, words) : ['', '']),
  ])
  if (agents.length > 1) rows.push([said.total, '', '', ...amounts(preview.total, words)])
  return [
    `${palette.strong(said.title)}${limit === undefined ? '' : palette.faint(` ${of(dollars(limit))}`)}`,
    ...table(
      [
        { title: columns.phase },
        { title: columns.by, gives: true },
        { title: columns.model, gives: true },
        { title: columns.tokens, align: 'right' },
        { title: columns.cost, align: 'right' },
      ],
      rows,
      screen,
    ),
    ...preview.warnings.flatMap(({ message }) => warningLines(message, screen)),
    '',
  ]
}

/** No space: tables trim their cells. */
const INDENT = '· '

function depthsOf(phases: readonly PhasePreview[]): Map<string, number> {
  const depths = new Map<string, number>()
  // Phases stand behind those that they are inside of.
  for (const { id, inside } of phases)
    depths.set(id, inside === undefined ? 0 : (depths.get(inside) ?? 0) + 1)
  return depths
}

function amounts({ tokens, microUsd: { low, high } }: PhaseEstimate, { run }: Words): string[] {
  const { between, atLeast } = run.preview
  const [least, most] = [dollars(low), high === undefined ? undefined : dollars(high)]
  const cost = most === undefined ? atLeast(least) : most === least ? most : between(least, most)
  return [count(tokens), cost]
}

function warningLines(message: string, { palette, width }: Screen): string[] {
  return wrap(inOneLine(message), width - MARK.length).map((line, index) =>
    palette.notice(`${index === 0 ? MARK : ' '.repeat(MARK.length)}${line}`),
  )
}
