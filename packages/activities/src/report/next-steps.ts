import type { ErrorRecord, Report, ReportNext } from '@devflow/contracts'

type Ended = Pick<
  Report,
  'runId' | 'outcome' | 'error' | 'failedPhase' | 'budget' | 'phases' | 'compensations'
>

/** What a person can do about a run that did not complete. Nothing when it did. */
export function nextSteps(report: Ended, { cli }: Pick<Report['reproduce'], 'cli'>): ReportNext[] {
  const again = (text: string): ReportNext => ({ action: 'submit', text, cli, http: 'POST /v1/runs' })
  switch (report.outcome) {
    case 'completed':
      return []
    case 'canceled':
      return [again('A canceled run stays canceled. Submit it again to do the same from the beginning.')]
    case 'failed':
      if (report.compensations)
        return [again('What it had done was undone: mend what failed, and submit it again.')]
      return afterFailure(report, again)
  }
}

function afterFailure(
  { runId, error, failedPhase, phases }: Ended,
  again: (text: string) => ReportNext,
): ReportNext[] {
  const change = (text: string): ReportNext => ({ action: 'change', text })
  const kept = phases.some(({ status }) => status === 'completed')
    ? ' What is completed is kept and not paid again.'
    : ''
  const retry = (text: string): ReportNext => ({
    action: 'retry',
    text: `${text}${kept}`,
    cli: `devflow runs retry ${runId}`,
    http: `POST /v1/runs/${runId}/retry`,
  })
  const phase = `phase ${failedPhase}`
  if (failedPhase === undefined)
    return [
      change('Mend the expression in the template’s output, or what it reads.'),
      again('Submit the run again with the mended template: this run keeps the one it began with.'),
    ]
  switch (why(error)) {
    case 'gate_rejected':
      return [
        change('Read why it was rejected: the decisions are with the gate, below.'),
        retry(`Retry the run to have gate ${failedPhase} opened again, about the same artifacts.`),
        again('Submit the run again, with another input or other personas, to have them made anew.'),
      ]
    case 'gate_expired':
      return [retry(`Retry the run to have gate ${failedPhase} opened again, with a new deadline.`)]
    case 'budget_exceeded':
      return [
        again('Submit the run again with a higher budget, or one that asks: `onExceeded: prompt`.'),
        change('Or bind cheaper personas, or lower their maxOutputTokens, by which calls are reserved.'),
      ]
    case 'made_by_model':
      return [
        retry(`Retry the run: ${phase} begins once more, and a model may do better.`),
        change(
          'If it fails alike, bind another persona to the role, or one with higher limits, or give the phase further attempts with its retry.',
        ),
      ]
    case 'phase_timeout':
      return [
        retry(`Retry the run: ${phase} has its whole time again.`),
        change('If it needs longer, raise the phase’s timeout in the template and submit the run again.'),
      ]
    case 'passing':
      return [retry(`Retry the run once the trouble has passed: ${phase} begins once more.`)]
    case 'refused':
      return [
        change('Mend what the provider refused it for: the key the workers have, the credit, the rights.'),
        retry(`Then retry the run: ${phase} begins once more.`),
      ]
    case 'wrong':
      return [
        change(
          'What is wrong is in the request, the template or the workspace, and stays so when it is retried. Mend it there.',
        ),
        again('Then submit the run again.'),
      ]
    case 'unknown':
      return [
        retry(`Retry the run: ${phase} begins once more.`),
        change('If it fails alike, look for the run’s id in the logs of the workers.'),
      ]
  }
}

const MADE_BY_MODEL = ['artifact_invalid', 'turn_limit', 'token_budget_exceeded', 'max_tokens_exceeded']
const NAMED = ['gate_rejected', 'gate_expired', 'budget_exceeded', 'phase_timeout'] as const

/** What kind of trouble ended the phase, by what can be done about it. */
function why(
  error: ErrorRecord | undefined,
): (typeof NAMED)[number] | 'made_by_model' | 'passing' | 'refused' | 'wrong' | 'unknown' {
  const named = NAMED.find((code) => code === error?.code)
  if (error?.code === 'token_budget_exceeded' && error.kind === 'RATE_LIMITED') return 'budget_exceeded'
  if (named) return named
  if (MADE_BY_MODEL.includes(error?.code ?? '')) return 'made_by_model'
  switch (error?.kind) {
    case 'UNAVAILABLE':
    case 'RATE_LIMITED':
    case 'TIMEOUT':
      return 'passing'
    case 'PERMISSION_DENIED':
      return 'refused'
    case 'INVALID':
    case 'NOT_FOUND':
      return 'wrong'
    default:
      return 'unknown'
  }
}
