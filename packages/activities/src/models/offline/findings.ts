import { isRecord } from './brief.ts'
import type { Looked } from './places.ts'
import type { Requirement } from './spec.ts'

export interface Finding {
  id: string
  severity: 'critical' | 'major' | 'minor' | 'info'
  title: string
  detail: string
  path?: string
  line?: number
  requirement?: string
}

const ORDER = ['critical', 'major', 'minor', 'info']

/** A review by rules: are the cited places there, do they hold what is quoted, and does each requirement cite any. */
export function composeFindings(
  spec: unknown,
  requirements: Requirement[],
  looked: Looked[],
): { findings: Finding[]; summary: string } {
  const found: Omit<Finding, 'id'>[] = []
  if (requirements.length === 0)
    found.push({
      severity: 'critical',
      title: 'The spec has no requirements',
      detail: 'There is nothing to build or to check. Say at least one thing that must hold.',
    })
  for (const { requirement, place, holds, said } of looked)
    if (holds === false)
      found.push({
        severity: 'major',
        title: `A place cited by ${requirement} does not hold`.slice(0, 200),
        detail: `${said} Cite a place that shows it, or drop the claim.`.slice(0, 4000),
        path: place.path,
        ...(place.line === undefined ? {} : { line: place.line }),
        requirement,
      })
  for (const { id, evidence = [] } of requirements)
    if (evidence.length === 0)
      found.push({
        severity: 'minor',
        title: `${id} cites no place in the workspace`.slice(0, 200),
        detail: 'Whether it fits the repository cannot be checked. Cite the files that it is about.',
        requirement: id,
      })
  for (const id of repeated(requirements))
    found.push({
      severity: 'minor',
      title: `Two requirements are called ${id}`.slice(0, 200),
      detail: 'Findings and checks refer to requirements by their id; it must name one.',
      requirement: id,
    })
  for (const question of strings(spec, 'openQuestions'))
    found.push({
      severity: 'info',
      title: 'A question is open',
      detail: question.slice(0, 4000),
    })
  found.sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity))
  const holding = looked.filter(({ holds }) => holds).length
  return {
    findings: found.slice(0, 100).map((finding, index) => ({ id: `F${index + 1}`, ...finding })),
    summary: `Looked at ${looked.length} cited places of ${requirements.length} requirements: ${holding} hold what is said of them, ${looked.filter(({ holds }) => holds === false).length} do not. Checked by rules, without a language model: places and quotes, not the design.`,
  }
}

const repeated = (requirements: Requirement[]): string[] => {
  const ids = requirements.map(({ id }) => id)
  return [...new Set(ids.filter((id, index) => ids.indexOf(id) !== index))]
}

const strings = (value: unknown, field: string): string[] => {
  const list = isRecord(value) ? value[field] : undefined
  return Array.isArray(list) ? list.filter((item) => typeof item === 'string') : []
}
