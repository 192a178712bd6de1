import type { SubmitRun } from '@devflow/client'
import type { Command } from 'commander'
import { EXIT } from '../exit-codes.ts'
import { attend } from '../following/attend.ts'
import { nextLines } from '../following/end-lines.ts'
import { type Invocation, invocationOf } from '../invocation.ts'
import { confirmCost } from '../submission/confirm-cost.ts'
import { type SubmissionFlags, submissionOf } from '../submission/submission.ts'

interface Flags extends SubmissionFlags {
  yes?: boolean
  detach?: boolean
}

export async function submitRun(template: string, flags: Flags, command: Command): Promise<void> {
  const invocation = invocationOf(command)
  const submission = await submissionOf(template, flags, invocation.words)
  process.exitCode = await submitAndFollow(submission, flags, invocation)
}

async function submitAndFollow(
  submission: SubmitRun,
  { yes = false, detach = false }: Flags,
  invocation: Invocation,
): Promise<number> {
  const { json, screen, words, printJson } = invocation
  const client = invocation.client()
  if (!(await confirmCost(client, submission, yes, invocation))) {
    screen.print(words.run.preview.not)
    return EXIT.interrupted
  }
  const run = await client.runs.submit(submission)
  if (detach) {
    if (json) printJson(run)
    else {
      const follow = [words.run.next.follow, `runs show ${run.id} --follow`] as const
      screen.print(words.run.submitted(run.id), ...nextLines([follow], screen))
    }
    return EXIT.completed
  }
  if (json) printJson({ event: 'submitted', runId: run.id, status: run.status, run })
  // A terminal has it in the heading of what it draws.
  else if (!screen.isTerminal) screen.print(words.run.submitted(run.id))
  return attend(run, invocation)
}
