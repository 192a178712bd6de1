import type { ForkRun } from '@devflow/client'
import type { Command } from 'commander'
import { EXIT } from '../../exit-codes.ts'
import { attend } from '../../following/attend.ts'
import { nextLines } from '../../following/end-lines.ts'
import { invocationOf } from '../../invocation.ts'
import { findRunId } from '../../run-id.ts'
import { inputOf, type SubmissionFlags } from '../../submission/submission.ts'

interface Flags extends Pick<SubmissionFlags, 'input' | 'inputFile' | 'bind'> {
  from: string
  detach?: boolean
}

export async function forkRun(text: string, flags: Flags, command: Command): Promise<void> {
  const invocation = invocationOf(command)
  const { json, screen, words, printJson } = invocation
  const client = invocation.client()
  const source = await findRunId(client, text, words)
  const before =
    flags.input && flags.inputFile === undefined ? (await client.runs.get(source)).input : undefined
  const input = await inputOf(flags, words, before)
  const run = await client.runs.fork(source, {
    fromPhase: flags.from,
    ...(input === undefined ? {} : { input: input as ForkRun['input'] }),
    ...(flags.bind ? { bindings: Object.fromEntries(flags.bind) } : {}),
  })
  const reused = run.phases.filter((phase) => phase.reused).map(({ id }) => id)
  if (flags.detach) {
    if (json) return printJson(run)
    const follow = [words.run.next.follow, `runs show ${run.id} --follow`] as const
    screen.print(words.forks.forked(run.id, source, reused), ...nextLines([follow], screen))
    process.exitCode = EXIT.completed
    return
  }
  if (json) printJson({ event: 'submitted', runId: run.id, status: run.status, run })
  else screen.print(words.forks.forked(run.id, source, reused))
  process.exitCode = await attend(run, invocation)
}
