import type { Report, ReportPhase } from '@devflow/contracts'
import { outcomeOf } from './phase.ts'
import { count, counted, dollars, duration, moment } from './quantities.ts'
import { code, inline, row } from './safe-text.ts'

/** The first lines, which say how it went, and one row a phase. */
export function overview(report: Report): string[][] {
  const { usage, budget, labels } = report
  const tokens = usage.calls > 0 ? ` (${counted(usage.calls, 'model call')})` : ''
  const open =
    usage.unsettledMicroUsd > 0 ? ` and up to ${dollars(usage.unsettledMicroUsd)} not settled yet` : ''
  const limit = budget.limitMicroUsd === undefined ? '' : ` of at most ${dollars(budget.limitMicroUsd)}`
  const tags = Object.entries(labels).map((pair) => code(pair.join('=')))
  const repo = report.reproduce.request.workspace
  return [
    [
      `- ${report.outcome === 'completed' ? 'Completed' : report.outcome === 'failed' ? 'Failed' : 'Canceled'} after ${duration(report.latencyMs)}, ${moment(report.createdAt)} to ${moment(report.endedAt)}${report.attempt > 1 ? `, in round ${report.attempt}` : ''}`,
      `- Spent ${dollars(usage.costMicroUsd)}${open}${limit}${tokens}`,
      `- Run ${code(report.runId)} of ${code(report.template)}, started by ${inline(report.actor)}`,
      ...forkLines(report),
      ...(repo ? [`- On ${code(repo.repo)}${repo.base ? ` at ${code(repo.base)}` : ''}`] : []),
      ...(tags.length > 0 ? [`- Labels: ${tags.join(', ')}`] : []),
    ],
    [
      row(['Phase', 'Outcome', 'By', 'Attempts', 'Turns', 'Repairs', 'Cost']),
      row(['---', '---', '---', '--:', '--:', '--:', '--:']),
      ...report.phases.map(phaseRow),
    ],
  ]
}

function forkLines({ fork }: Report): string[] {
  if (!fork) return []
  const { run, fromPhase, reused, paidMicroUsd } = fork
  const what = reused.length > 0 ? reused.map((id) => code(id)).join(', ') : 'nothing'
  const paid = paidMicroUsd > 0 ? `, for which ${dollars(paidMicroUsd)} was paid there` : ''
  return [`- Forked from run ${code(run)} at phase ${code(fromPhase)}: it took over ${what}${paid}`]
}

function phaseRow(phase: ReportPhase): string {
  const isAgent = phase.kind === 'agent'
  return row([
    inline(phase.id),
    outcomeOf(phase),
    phase.gate ? inline(deciders(phase.gate.decisions)) : inline(phase.persona ?? ''),
    phase.attempts > 0 ? count(phase.attempts) : '',
    isAgent && phase.attempts > 0 ? count(phase.turns) : '',
    phase.repairs > 0 ? count(phase.repairs) : '',
    phase.models.length > 0 ? dollars(phase.costMicroUsd) : '',
  ])
}

const deciders = (decisions: readonly { actor: string }[]) =>
  [...new Set(decisions.map(({ actor }) => actor))].join(', ')

/** What each model cost; nothing where no model was called. */
export function spending({ models, usage, budget }: Report): string[][] {
  if (models.length === 0) return []
  const isOpen = usage.unsettledMicroUsd > 0
  const amounts = (of: Report['usage']) => [
    count(of.calls),
    count(of.inputTokens),
    count(of.outputTokens),
    dollars(of.costMicroUsd),
    ...(isOpen ? [of.unsettledMicroUsd > 0 ? dollars(of.unsettledMicroUsd) : ''] : []),
  ]
  const head = [
    'Model',
    'Persona',
    'Calls',
    'Tokens in',
    'Tokens out',
    'Cost',
    ...(isOpen ? ['Not settled'] : []),
  ]
  const limits = [
    ...(budget.limitMicroUsd === undefined ? [] : [dollars(budget.limitMicroUsd)]),
    ...(budget.limitTokens === undefined ? [] : [counted(budget.limitTokens, 'token')]),
  ]
  return [
    [
      '## Money',
      '',
      row(head),
      row(head.map((_, index) => (index < 2 ? '---' : '--:'))),
      ...models.map((model) => row([inline(model.model), inline(model.persona), ...amounts(model)])),
      ...(models.length > 1 ? [row(['**All**', '', ...amounts(usage)])] : []),
      ...(limits.length > 0 ? ['', `The budget was ${limits.join(' and ')}.`] : []),
      ...(isOpen
        ? [
            '',
            'What is not settled was reserved for calls that were cut off. The provider is asked what they cost; the ledger (`GET /v1/runs/{id}/calls`) has it then.',
          ]
        : []),
    ],
  ]
}
