import { confirm, isCancel } from '@clack/prompts'
import { type DevflowClient, DevflowError, type RunPreview, type SubmitRun } from '@devflow/client'
import type { Invocation } from '../invocation.ts'
import type { Words } from '../messages/words.ts'
import { inOneLine } from '../terminal/fit.ts'
import { count, dollars } from '../terminal/quantities.ts'
import type { Screen } from '../terminal/screen.ts'
import { table } from '../terminal/table.ts'

/** Shows what a run may cost, where the API can tell, and asks whether to go on, where somebody can be asked. */
export async function confirmCost(
  client: DevflowClient,
  submission: SubmitRun,
  isAgreed: boolean,
  { json, screen, words }: Invocation,
): Promise<boolean> {
  const preview = await previewOf(client, submission)
  if (!preview || json) return true
  screen.print(...previewLines(preview, screen, words))
  if (isAgreed || !screen.canAsk) return true
  const answer = await confirm({ message: words.run.preview.submit, withGuide: false })
  return !isCancel(answer) && answer
}

/** Undefined where the API has no previews. What it refuses to preview it would refuse to run. */
async function previewOf(client: DevflowClient, submission: SubmitRun): Promise<RunPreview | undefined> {
  try {
    return await client.runs.preview(submission)
  } catch (error) {
    const isMissing =
      error instanceof DevflowError && ['method_not_allowed', 'not_found'].includes(error.code)
    if (isMissing) return undefined
    throw error
  }
}

function previewLines(preview: RunPreview, screen: Screen, words: Words): string[] {
  const { columns, preview: said, of } = words.run
  const { palette } = screen
  const limit = preview.budget?.limitMicroUsd
  const rows = preview.phases.map(({ id, kind, persona, model, estimate }) => [
    id,
    { text: persona ?? kind, paint: 'faint' as const },
    { text: model ?? '', paint: 'faint' as const },
    estimate ? count(estimate.tokens) : '',
    estimate ? said.between(dollars(estimate.microUsd.low), dollars(estimate.microUsd.high)) : '',
  ])
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
    ...preview.warnings.map((warning) => palette.notice(`! ${inOneLine(warning)}`)),
    '',
  ]
}
