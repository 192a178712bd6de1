import type { DevflowClient, SubmitRun } from '@devflow/client'
import type { Invocation } from '../invocation.ts'
import { previewLines } from './preview-lines.ts'

/** Shows what a run may cost, and asks whether to go on where it may cost something and somebody can be asked. */
export async function confirmCost(
  client: DevflowClient,
  submission: SubmitRun,
  isAgreed: boolean,
  { json, screen, words }: Invocation,
): Promise<boolean> {
  if (json) return true
  // What it refuses to preview it would refuse to run.
  const preview = await client.runs.preview(submission)
  const { phases, total, warnings } = preview
  if (warnings.length === 0 && !phases.some(({ kind }) => kind === 'agent')) return true
  screen.print(...previewLines(preview, screen, words))
  const isFree = total.microUsd.high === 0 && warnings.length === 0
  if (isAgreed || isFree || !screen.canAsk) return true
  // Only here: most runs are submitted without a question.
  const { confirm, isCancel } = await import('@clack/prompts')
  const answer = await confirm({ message: words.run.preview.submit, withGuide: false })
  return !isCancel(answer) && answer
}
