import type { Report } from '@devflow/contracts'
import { changesChapter } from './changes.ts'
import { compensationsChapter } from './compensations.ts'
import { listing } from './listing.ts'
import { overview, spending } from './overview.ts'
import { details, phaseChapter, problem } from './phase.ts'
import { moment } from './quantities.ts'
import { code, fenced, inline, quoted } from './safe-text.ts'

/** A report as Markdown, to be read by people: how it ended and what to do, then each phase with what it made. */
export function markdownOf(report: Report): string {
  const chapters = [
    [`# ${inline(report.title)}: ${report.outcome}`],
    ...overview(report),
    ...ending(report),
    ...compensationsChapter(report),
    ['## Input', '', ...listing(report.input, whole(report))],
    ...(report.output === undefined ? [] : [output(report)]),
    ...changesChapter(report),
    ...report.phases.map((phase, index) => phaseChapter(phase, index, report.runId)),
    ...spending(report),
    again(report),
  ]
  return `${chapters.map((lines) => lines.join('\n')).join('\n\n')}\n`
}

const whole = ({ runId }: Report) => code(`GET /v1/runs/${runId}/report`)

function ending({ outcome, error, failedPhase, canceled, next, retries, phases }: Report): string[][] {
  const earlier = retries.map(
    ({ attempt, actor, reason, phase, at }) =>
      `- Round ${attempt} was asked for by ${inline(actor)} on ${moment(at)}${phase ? `, from phase ${code(phase)} on` : ''}${reason ? `: ${inline(reason)}` : ''}`,
  )
  const rounds = earlier.length > 0 ? [['## Earlier rounds', '', ...earlier]] : []
  const todo = next.map(({ text, cli, action }) =>
    // The command to submit it again is at the end, whole.
    cli && action === 'retry'
      ? `- ${inline(text)}\n  ${fenced(cli, 'sh').join('\n  ')}`
      : `- ${inline(text)}`,
  )
  const steps = todo.length > 0 ? ['', 'What you can do:', '', ...todo] : []
  if (outcome === 'failed' && error) {
    const where = failedPhase === undefined ? 'After its last phase' : `In phase ${code(failedPhase)}`
    return [
      ['## Why it failed', '', `${where}: ${problem(error)}`, ...list(details(error)), ...steps],
      ...rounds,
    ]
  }
  if (outcome === 'canceled') {
    const by = canceled
      ? `By ${inline(canceled.actor)} on ${moment(canceled.at)}${canceled.via && canceled.via !== 'api' ? ` through ${inline(canceled.via)}` : ''}.`
      : 'Nobody is on record for it.'
    const last = phases.findLast(({ attempts, status }) => attempts > 0 && status === 'canceled')
    const where = last ? ` It had come to phase ${code(last.id)}.` : ''
    const why = canceled?.reason ? ['', ...quoted(canceled.reason.trim())] : []
    return [['## Why it was canceled', '', `${by}${where}`, ...why, ...steps], ...rounds]
  }
  return rounds
}

const list = (lines: string[]) => (lines.length > 0 ? ['', ...lines] : [])

/** What the run answers; not a second time where it is what a phase made. */
function output(report: Report): string[] {
  const text = JSON.stringify(report.output)
  const same = report.phases.find(({ artifact }) => artifact && JSON.stringify(artifact.content) === text)
  if (same?.artifact)
    return ['## Output', '', `The artifact ${code(same.artifact.name)} of phase ${code(same.id)}, below.`]
  return ['## Output', '', ...listing(report.output, whole(report))]
}

function again({ reproduce, definitionHash, template, runId, attempt, format }: Report): string[] {
  const { cli, curl, request } = reproduce
  const base = request.workspace?.base
  const scrubbed = cli.includes('[secret]') ? ['', 'Secrets were taken out of it: put them back first.'] : []
  return [
    '## How to do it again',
    '',
    `The same template, input, personas and budget${base ? `, on the commit ${code(base)}` : ''}. Models may answer otherwise.`,
    ...scrubbed,
    '',
    ...fenced(cli, 'sh'),
    '',
    'Or over HTTP:',
    '',
    ...fenced(curl, 'sh'),
    '',
    `When the new run has the ${code('definitionHash')} ${code(definitionHash)}, nothing of ${code(template)} has changed since.`,
    '',
    `Run ${code(runId)}, round ${attempt}. Report format ${format}.`,
  ]
}
