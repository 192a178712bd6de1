import { isRecord } from './brief.ts'
import type { Looked } from './places.ts'
import type { Requirement } from './spec.ts'

interface Check {
  requirement: string
  status: 'pass' | 'fail' | 'unclear'
  evidence: string
}

export interface Verdict {
  verdict: 'pass' | 'needs_work' | 'fail'
  reasons: string[]
  checks: Check[]
}

/** A verdict by rules: each requirement by its cited places and the findings against it. */
export function composeVerdict(requirements: Requirement[], findings: unknown, looked: Looked[]): Verdict {
  const grave = findingsIn(findings).filter(({ severity }) => severity === 'critical' || severity === 'major')
  const checks = requirements.slice(0, 200).map(({ id }): Check => {
    const places = looked.filter(({ requirement }) => requirement === id)
    const against = grave.filter(({ requirement }) => requirement === id)
    const broken = places.filter(({ holds }) => holds === false)
    const sure = places.filter(({ holds }) => holds === true)
    const said = (list: { said: string }[]) =>
      list
        .map((one) => one.said)
        .join(' ')
        .slice(0, 2000)
    if (broken.length > 0) return { requirement: id, status: 'fail', evidence: said(broken) }
    if (against.length > 0)
      return {
        requirement: id,
        status: 'fail',
        evidence: `Open: ${against.map(({ id: finding, title }) => `${finding} ${title}`).join('; ')}`.slice(
          0,
          2000,
        ),
      }
    if (sure.length > 0) return { requirement: id, status: 'pass', evidence: said(sure) }
    return { requirement: id, status: 'unclear', evidence: 'It cites no place that could be looked at.' }
  })
  const count = (status: Check['status']) => checks.filter((check) => check.status === status).length
  const failing = count('fail')
  const loose = grave.filter(({ requirement }) => !checks.some((check) => check.requirement === requirement))
  const verdict =
    requirements.length === 0 || (failing > 0 && failing === checks.length)
      ? 'fail'
      : failing > 0 || grave.length > 0
        ? 'needs_work'
        : 'pass'
  return {
    verdict,
    reasons: [
      `${count('pass')} of ${checks.length} requirements hold at the places they cite, ${failing} do not, ${count('unclear')} cannot be told.`,
      grave.length === 0
        ? 'No critical or major finding is open.'
        : `${grave.length} critical or major findings are open.`,
      ...loose.slice(0, 40).map(({ id, title }) => `${id}: ${title}`.slice(0, 2000)),
      'Checked by rules, without a language model: places and quotes, not the design.',
    ],
    checks,
  }
}

interface KnownFinding {
  id: string
  severity: string
  title: string
  requirement: string | undefined
}

function findingsIn(value: unknown): KnownFinding[] {
  const list = isRecord(value) && Array.isArray(value.findings) ? value.findings : []
  return list.filter(isRecord).map((finding) => ({
    id: String(finding.id ?? ''),
    severity: String(finding.severity ?? ''),
    title: String(finding.title ?? ''),
    requirement: typeof finding.requirement === 'string' ? finding.requirement : undefined,
  }))
}
