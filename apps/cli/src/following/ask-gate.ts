import { isCancel, select, text } from '@clack/prompts'
import type { DecisionKind, DevflowClient, Gate } from '@devflow/client'
import { DevflowError } from '@devflow/contracts'
import type { Words } from '../messages/words.ts'
import { inOneLine } from '../terminal/fit.ts'
import type { Screen } from '../terminal/screen.ts'
import { decidedLines } from './decided-lines.ts'
import type { Ask } from './follow-run.ts'
import { canGoBack, gateLines, subjectLines } from './gate-lines.ts'

/** Rows that the question and the headings take. */
const QUESTION_ROWS = 14
const FEWEST_LINES = 4

/** Shows a gate and what it is about, asks what to do, and does it. */
export const askGate =
  (client: DevflowClient, screen: Screen, words: Words): Ask =>
  async (gate, signal) => {
    const { palette } = screen
    screen.print(
      '',
      ...gateLines(gate, screen, words),
      ...(await subjectLines(client, gate, screen, words, fewLines(gate, screen))),
      '',
    )
    for (;;) {
      const choice = await within(signal, (until) => choose(gate, words, until))
      // Enter, escape and Ctrl-C are told apart by nobody: an aborted question ends in the same way.
      if (isCancel(choice)) {
        if (!signal.aborted) return 'left'
        screen.print(palette.notice(await endedElsewhere(client, gate, words)), '')
        return 'decided'
      }
      if (choice === 'later') return 'later'
      if (choice === 'look') {
        screen.print('', ...(await subjectLines(client, gate, screen, words)), '')
        continue
      }
      const comment = await within(signal, (until) =>
        text({ message: words.gate.comment, signal: until, withGuide: false }),
      )
      if (isCancel(comment)) {
        if (signal.aborted) continue
        return 'left'
      }
      await decide(client, gate, choice, comment ?? '', screen, words)
      return 'decided'
    }
  }

/** So many lines of each artifact that they stand on the screen together with the question; the rest is shown on demand. */
function fewLines({ subject }: Gate, { rows }: Screen): number {
  return Math.max(FEWEST_LINES, Math.floor((rows - QUESTION_ROWS) / Math.max(1, subject.length)))
}

/** Puts a question that ends with the signal. A prompt never lets go of its signal: aborted later, it would draw once more. */
async function within<Answer>(
  signal: AbortSignal,
  put: (until: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  const until = new AbortController()
  const end = () => until.abort()
  if (signal.aborted) end()
  signal.addEventListener('abort', end, { once: true })
  try {
    return await put(until.signal)
  } finally {
    signal.removeEventListener('abort', end)
  }
}

type Choice = DecisionKind | 'look' | 'later'

function choose(gate: Gate, { gate: words }: Words, signal: AbortSignal) {
  return select<Choice>({
    message: inOneLine(gate.title),
    signal,
    withGuide: false,
    showInstructions: false,
    options: [
      { value: 'approve', label: words.approve },
      { value: 'reject', label: words.reject },
      ...(canGoBack(gate) ? [{ value: 'request_changes' as const, label: words.requestChanges }] : []),
      ...(gate.subject.length > 0 ? [{ value: 'look' as const, label: words.look }] : []),
      { value: 'later', label: words.later, hint: words.laterHint },
    ],
  })
}

/** Decides on what was shown. */
async function decide(
  client: DevflowClient,
  gate: Gate,
  decision: DecisionKind,
  comment: string,
  screen: Screen,
  words: Words,
): Promise<void> {
  const { subjectHash } = gate
  const body = { decision, subjectHash, ...(comment.trim() === '' ? {} : { comment: comment.trim() }) }
  try {
    const decided = await client.gates.decide(gate.runId, gate.id, body, { retries: 3 })
    screen.print(...decidedLines(decided, decision, words).map(screen.palette.good), '')
  } catch (error) {
    // Somebody was quicker: that is no failure of ours.
    if (!(error instanceof DevflowError) || error.code !== 'gate_closed') throw error
    screen.print(screen.palette.notice(await endedElsewhere(client, gate, words)), '')
  }
}

async function endedElsewhere(client: DevflowClient, gate: Gate, words: Words): Promise<string> {
  const { items } = await client.gates.list({ run: gate.runId }, { retries: 3 })
  const status = items.find(({ id }) => id === gate.id)?.status ?? 'canceled'
  return words.gate.elsewhere(words.run.statuses[status] ?? status)
}
