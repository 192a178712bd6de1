import type { DevflowClient, Run } from '@devflow/client'
import { EXIT, exitCodeOf } from '../exit-codes.ts'
import type { Invocation } from '../invocation.ts'
import { endLines, leftLines, waitingLines } from './end-lines.ts'
import { type Ask, followRun } from './follow-run.ts'
import { jsonView } from './json-view.ts'
import { leavingSignal } from './leaving.ts'
import { lineView } from './line-view.ts'
import { liveView } from './live-view.ts'
import { quietKeyboard } from './quiet-keyboard.ts'
import type { View } from './view.ts'

/** Follows a run in the manner that was asked for, says how it ended, and answers the exit code for that. */
export async function attend(run: Run, invocation: Invocation): Promise<number> {
  const { json, screen, words } = invocation
  const view = viewOf(invocation)
  const client = invocation.client({ onRetry: () => view.lost() })
  const leaving = leavingSignal()
  try {
    const ask = !json && screen.canAsk ? await asking(client, invocation) : undefined
    const ending = await followRun(run, { client, view, ask, leaving: leaving.signal })
    if (!json) {
      if (ending.how === 'left') screen.print(...leftLines(run.id, screen, words))
      else if (ending.how === 'waiting')
        screen.print(...waitingLines(ending.run, ending.gates, screen, words))
      else screen.print(...endLines(ending.run, screen, words))
    }
    if (ending.how === 'left') return EXIT.interrupted
    return ending.how === 'waiting' ? EXIT.waiting : exitCodeOf(ending.run.status)
  } finally {
    leaving.forget()
  }
}

function viewOf({ json, screen, words }: Invocation): View {
  if (json) return jsonView(screen)
  return screen.isTerminal ? liveView(screen, words, quietKeyboard(process.stdin)) : lineView(screen, words)
}

/** Loaded where somebody can be asked: what draws questions is of no use in a pipe. */
async function asking(client: DevflowClient, { screen, words }: Invocation): Promise<Ask> {
  const { askGate } = await import('./ask-gate.ts')
  return askGate(client, screen, words)
}
