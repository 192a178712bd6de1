import type { PhaseView, Run } from '@devflow/client'
import { moneyOf, usageOf } from '../../following/end-lines.ts'
import { timeLeft } from '../../following/gate-lines.ts'
import type { Words } from '../../messages/words.ts'
import { fieldLines } from '../../terminal/fields.ts'
import { harmless, wrap } from '../../terminal/fit.ts'
import { outline } from '../../terminal/outline.ts'
import { age, dollars, span } from '../../terminal/quantities.ts'
import type { Screen } from '../../terminal/screen.ts'
import { paintOf } from '../../terminal/status-paint.ts'
import { table } from '../../terminal/table.ts'

/** A run as it stands: what it is, its phases, what it waits for, what came of it. */
export function runLines(run: Run, screen: Screen, words: Words): string[] {
  const { palette } = screen
  const status = words.run.statuses[run.status] ?? run.status
  return [
    `${palette.strong(run.template)}  ${palette[paintOf(run.status)](status)}`,
    run.id,
    '',
    ...fieldLines(factsOf(run, words), screen),
    '',
    ...phaseLines(run.phases, screen, words),
    ...(run.error ? ['', ...errorLines(run.error, screen)] : []),
    ...section(words.run.fields.input, run.input, screen),
    ...section(words.run.fields.output, run.output, screen),
  ]
}

function factsOf(run: Run, words: Words): [string, string][] {
  const { fields, ago, of } = words.run
  const limit = run.budget.limitMicroUsd
  const ended = run.endedAt === undefined ? [] : [` · ${span(run.latencyMs ?? 0)}`]
  return [
    [fields.started, `${run.createdAt} (${ago(age(run.createdAt))})${ended.join('')}`],
    [fields.by, run.actor],
    ...(run.forkedFrom === undefined ? [] : [[words.forks.forkedFrom, run.forkedFrom] as [string, string]]),
    ...(run.workspace
      ? [
          [fields.repository, [run.workspace.repo, run.workspace.base].filter(Boolean).join(' @ ')] as [
            string,
            string,
          ],
        ]
      : []),
    ...(Object.keys(run.labels).length > 0
      ? [
          [
            fields.labels,
            Object.entries(run.labels)
              .map(([name, value]) => `${name}=${value}`)
              .join(' '),
          ] as [string, string],
        ]
      : []),
    [
      fields.usage,
      [usageOf(run, words), ...moneyOf(run, words)].join(' · ') +
        (limit === undefined ? '' : ` ${of(dollars(limit))}`),
    ],
    ...(run.waitingFor ?? []).map(({ kind, id, deadline }): [string, string] => [
      fields.waiting,
      `${kind} ${id}${deadline === undefined ? '' : ` (${timeLeft(deadline, words)})`}`,
    ]),
  ]
}

function phaseLines(phases: readonly PhaseView[], screen: Screen, { run, forks }: Words): string[] {
  return table(
    [
      { title: run.columns.phase, gives: true },
      { title: '' },
      { title: run.columns.status },
      { title: run.columns.took, align: 'right' },
    ],
    phases.map(({ id, kind, status, attempt, startedAt, endedAt, reused }) => [
      id,
      { text: kind, paint: 'faint' },
      {
        text: `${run.statuses[status] ?? status}${attempt > 1 ? `, ${run.attempt(attempt)}` : ''}${reused ? `, ${forks.takenOver}` : ''}`,
        paint: paintOf(status),
      },
      startedAt && endedAt ? span(Date.parse(endedAt) - Date.parse(startedAt)) : '',
    ]),
    screen,
  )
}

function errorLines(error: NonNullable<Run['error']>, { palette, width }: Screen): string[] {
  const details = (error.errors ?? []).map(({ path, message }) => `${path}: ${message}`)
  return [`${error.kind} ${error.code}: ${error.message}`, ...details]
    .flatMap((text) => wrap(harmless(text), width))
    .map(palette.bad)
}

function section(title: string, value: unknown, { palette, width }: Screen): string[] {
  if (value === undefined || value === null) return []
  return ['', palette.faint(title), ...outline(value).flatMap((line) => wrap(line, width))]
}
