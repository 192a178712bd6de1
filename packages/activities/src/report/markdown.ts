import type { Report } from '@devflow/contracts'

const DOLLARS_DIGITS = 6

/** A report as Markdown, to be read by people: outcome first, then each phase with what it made and what it cost. */
export function markdownOf(report: Report): string {
  const { usage } = report
  const head = [
    `# ${report.title}: ${report.outcome}`,
    '',
    `- Run \`${report.runId}\` of \`${report.template}\`, started by ${report.actor}`,
    `- ${report.createdAt} to ${report.endedAt} (${duration(report.latencyMs)})${report.attempt > 1 ? `, round ${report.attempt}` : ''}`,
    `- ${usage.calls} model calls, ${usage.inputTokens} tokens in, ${usage.outputTokens} out, ${dollars(usage.costMicroUsd)}${usage.unsettledMicroUsd > 0 ? ` and up to ${dollars(usage.unsettledMicroUsd)} not settled yet` : ''}`,
    `- Definition \`${report.definitionHash.slice(0, 12)}\``,
    ...(report.error
      ? [
          '',
          `**${report.error.code}** (${report.error.kind}): ${report.error.message}`,
          ...details(report.error.errors),
        ]
      : []),
    '',
    '## Input',
    '',
    ...listed(report.input, 0),
  ]
  return `${[...head, ...report.phases.flatMap(phaseOf)].join('\n')}\n`
}

function phaseOf(phase: Report['phases'][number]): string[] {
  const by = phase.persona ? ` by \`${phase.persona}\`${phase.model ? ` (${phase.model})` : ''}` : ''
  const work =
    phase.turns > 0
      ? `, ${phase.turns} turns${phase.repairs > 0 ? `, ${phase.repairs} repaired` : ''}, ${dollars(phase.costMicroUsd)}`
      : ''
  const lines = [
    '',
    `## ${phase.id}: ${phase.status}`,
    '',
    `${phase.kind}${by}${phase.attempts > 1 ? `, attempt ${phase.attempts}` : ''}${work}`,
  ]
  if (phase.error)
    lines.push('', `**${phase.error.code}**: ${phase.error.message}`, ...details(phase.error.errors))
  if (phase.gate) {
    lines.push('', `«${phase.gate.title}» ${phase.gate.status}`)
    for (const { actor, decision, comment, at } of phase.gate.decisions)
      lines.push(`- ${actor}: ${decision}${comment ? `, “${comment}”` : ''} (${at})`)
  }
  if (phase.artifact)
    lines.push(
      '',
      `Artifact \`${phase.artifact.name}\`, version ${phase.artifact.version}, sha256 \`${phase.artifact.sha256.slice(0, 12)}\``,
      '',
      ...listed(phase.artifact.content, 0),
    )
  return lines
}

function details(errors: { path: string; message: string }[] | undefined): string[] {
  return (errors ?? []).map(({ path, message }) => `- \`${path === '' ? '(the whole)' : path}\`: ${message}`)
}

/** JSON as nested lists: short values stay on their field's line. */
function listed(value: unknown, depth: number): string[] {
  const indent = '  '.repeat(depth)
  if (Array.isArray(value)) return value.flatMap((item) => nested(`${indent}-`, item, depth))
  if (value !== null && typeof value === 'object')
    return Object.entries(value).flatMap(([key, item]) => nested(`${indent}- **${key}**:`, item, depth))
  return [`${indent}${plain(value)}`]
}

function nested(lead: string, item: unknown, depth: number): string[] {
  if (item === null || typeof item !== 'object') return [`${lead} ${plain(item)}`]
  if (Object.keys(item).length === 0) return [`${lead} none`]
  const short =
    !Array.isArray(item) &&
    Object.values(item).every((part) => part === null || typeof part !== 'object') &&
    lead.trimEnd().endsWith('-')
  if (short)
    return [
      `${lead} ${Object.entries(item)
        .map(([key, part]) => `**${key}**: ${plain(part)}`)
        .join(' · ')}`,
    ]
  return [lead, ...listed(item, depth + 1)]
}

function plain(value: unknown): string {
  return typeof value === 'string' ? value.replaceAll('\n', ' ') : JSON.stringify(value)
}

function dollars(microUsd: number): string {
  return `$${(microUsd / 1e6).toFixed(DOLLARS_DIGITS).replace(/0{1,4}$/, '')}`
}

function duration(ms: number): string {
  return ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`
}
