import type { Gate, Run } from '@devflow/client'
import type { Words } from '../messages/words.ts'
import { harmless, padEnd, widthOf, wrap } from '../terminal/fit.ts'
import { count, dollars, span } from '../terminal/quantities.ts'
import type { Screen } from '../terminal/screen.ts'
import { paintOf } from '../terminal/status-paint.ts'
import { canGoBack, gateLines } from './gate-lines.ts'

/** How a run ended, what it cost, and what to do next. */
export function endLines(run: Run, screen: Screen, words: Words): string[] {
  const { palette, width } = screen
  const said = words.run.ended[run.status] ?? words.run.statuses[run.status] ?? run.status
  const took = run.latencyMs === undefined ? [] : [span(run.latencyMs)]
  // A terminal has them just above.
  const facts = screen.isTerminal ? '' : [...took, usageOf(run, words), ...moneyOf(run, words)].join(' · ')
  const { error } = run
  return [
    '',
    `${palette[paintOf(run.status)](said)} ${palette.faint(facts)}`.trimEnd(),
    ...(error
      ? [
          ...wrap(`${error.kind} ${error.code}: ${harmless(error.message)}`, width - 2),
          ...(error.errors ?? []).flatMap(({ path, message }) =>
            wrap(harmless(`${path}: ${message}`), width - 2),
          ),
        ].map((line) => `  ${palette.bad(line)}`)
      : []),
    ...nextLines(
      [
        [words.run.next.report, `runs report ${run.id}`],
        ...(run.status === 'failed' ? [[words.run.next.retry, `runs retry ${run.id}`] as const] : []),
      ],
      screen,
    ),
  ]
}

export const usageOf = ({ usage }: Run, { run }: Words): string =>
  run.usage(count(usage.inputTokens), count(usage.outputTokens))

/** What a run has cost, and what may still come. */
export function moneyOf({ usage }: Run, { run }: Words): string[] {
  const { costMicroUsd, unsettledMicroUsd } = usage
  return [
    dollars(costMicroUsd),
    ...(unsettledMicroUsd > 0 ? [run.unsettled(dollars(unsettledMicroUsd))] : []),
  ]
}

/** That a run waits for a decision which nobody here gave. */
export function waitingLines(run: Run, gates: readonly Gate[], screen: Screen, words: Words): string[] {
  const { next } = words.run
  const [only] = gates.length === 1 ? gates : []
  const gate = only ? ` ${only.id}` : ' <gate>'
  return [
    '',
    ...gates.flatMap((each) => gateLines(each, screen, words)),
    ...nextLines(
      [
        [next.approve, `approve ${run.id}${gate}`],
        [next.reject, `reject ${run.id}${gate}`],
        ...(only && canGoBack(only)
          ? [[next.requestChanges, `request-changes ${run.id}${gate}`] as const]
          : []),
        [next.follow, `runs show ${run.id} --follow`],
      ],
      screen,
    ),
  ]
}

/** What to say to somebody who leaves. */
export function leftLines(runId: string, screen: Screen, words: Words): string[] {
  return [
    '',
    screen.palette.notice(words.run.detached),
    ...nextLines([[words.run.next.follow, `runs show ${runId} --follow`]], screen),
  ]
}

/** Commands to go on with, each behind what it is for; they are told without the program's name. */
export function nextLines(
  rows: readonly (readonly [string, string])[],
  { palette, program }: Screen,
): string[] {
  const width = Math.max(...rows.map(([what]) => widthOf(what)))
  return rows.map(([what, command]) => `  ${palette.faint(padEnd(what, width))}  ${program} ${command}`)
}
