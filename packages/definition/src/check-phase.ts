import type { AgentPhase, ErrorDetail, GatePhase, Phase, TemplateEntry } from '@devflow/contracts'
import type { Names } from './expression-names.ts'
import { hasExpression, partsOf } from './interpolation.ts'
import { unbuiltErrors } from './unbuilt.ts'

/** What a phase says that does not fit the rest of its template. */
export function phaseErrors(template: TemplateEntry, index: number, names: Names): ErrorDetail[] {
  const phase = template.phases[index]
  if (!phase) return []
  const base = `phases[${index}]`
  const errors = whenErrors(phase, base)
  if ('agent' in phase) errors.push(...agentErrors(phase.agent, `${base}.agent`, template, names))
  if ('gate' in phase) errors.push(...gateErrors(phase, phase.gate, `${base}.gate`, template, names))
  if ('wait' in phase && 'until' in phase.wait)
    errors.push(...untilErrors(phase.wait.until, `${base}.wait.until`))
  // What is wrong anyway is said as such.
  const known = new Set(errors.map(({ path }) => path))
  return [...errors, ...unbuiltErrors(phase, base).filter(({ path }) => !known.has(path))]
}

function whenErrors({ when }: Phase, base: string): ErrorDetail[] {
  if (typeof when !== 'string') return []
  const path = `${base}.when`
  if (!hasExpression(when)) return [{ path, message: `expected an expression: \${{ ${when} }}` }]
  return isOneExpression(when) ? [] : [{ path, message: 'expected one expression and nothing around it' }]
}

function isOneExpression(text: string): boolean {
  try {
    const [only, ...more] = partsOf(text.trim())
    return more.length === 0 && only !== undefined && 'expression' in only
  } catch {
    // An expression that does not end is reported where expressions are checked.
    return true
  }
}

function untilErrors(until: string, path: string): ErrorDetail[] {
  if (hasExpression(until)) {
    return isOneExpression(until) ? [] : [{ path, message: 'expected one expression and nothing around it' }]
  }
  const isTime =
    /^\d{4}-\d{2}-\d{2}T.*(?:Z|[+-]\d{2}:?\d{2})$/.test(until) && !Number.isNaN(Date.parse(until))
  return isTime ? [] : [{ path, message: 'expected a time such as 2031-05-01T09:00:00Z, or an expression' }]
}

function agentErrors(agent: AgentPhase, path: string, template: TemplateEntry, names: Names): ErrorDetail[] {
  const errors: ErrorDetail[] = []
  if (!Object.hasOwn(template.roles ?? {}, agent.role)) {
    errors.push({ path: `${path}.role`, message: `the template has no role ${agent.role}` })
  }
  if (agent.produces !== undefined && !names.artifacts.has(agent.produces)) {
    errors.push({ path: `${path}.produces`, message: `the template has no artifact ${agent.produces}` })
  }
  return [...errors, ...producedErrors(agent.inputs, `${path}.inputs`, names)]
}

function producedErrors(artifacts: readonly string[] | undefined, path: string, names: Names): ErrorDetail[] {
  return (artifacts ?? []).flatMap((name, index) => {
    const at = `${path}[${index}]`
    const artifact = names.artifacts.get(name)
    if (!artifact) return [{ path: at, message: `the template has no artifact ${name}` }]
    if (!artifact.ready) return [{ path: at, message: `no earlier phase produces ${name}` }]
    return artifacts?.indexOf(name) === index ? [] : [{ path: at, message: `names ${name} twice` }]
  })
}

function gateErrors(
  phase: Phase,
  gate: GatePhase,
  path: string,
  template: TemplateEntry,
  names: Names,
): ErrorDetail[] {
  const errors = producedErrors(gate.subject, `${path}.subject`, names)
  const { onDeadline, onReject, allowChanges, approvers, quorum = 1 } = gate
  if (onDeadline && gate.deadline === undefined) {
    errors.push({ path: `${path}.onDeadline`, message: 'needs a deadline' })
  }
  if (onDeadline?.after !== undefined && onDeadline.escalateTo === undefined) {
    errors.push({
      path: `${path}.onDeadline.after`,
      message: 'needs escalateTo: it counts from the escalation',
    })
  }
  if (allowChanges !== undefined) {
    const author = template.phases.find(({ id }) => id === allowChanges)
    const at = `${path}.allowChanges`
    if (!author) errors.push({ path: at, message: `the template has no phase ${allowChanges}` })
    else if (!names.phases.get(allowChanges)?.ready || !('agent' in author)) {
      errors.push({ path: at, message: `${allowChanges} is not an earlier agent phase` })
    }
  }
  if (typeof onReject === 'object') {
    const at = `${path}.onReject.goto`
    if (onReject.goto === phase.id) errors.push({ path: at, message: 'names the gate itself' })
    else if (!names.phases.has(onReject.goto)) {
      errors.push({ path: at, message: `the template has no phase ${onReject.goto}` })
    }
  }
  // Only named people can be counted; a role may have any number of holders.
  const people = new Set(approvers ?? [])
  if (approvers && ![...people].some((who) => who.startsWith('role:')) && people.size < quorum) {
    errors.push({
      path: `${path}.quorum`,
      message: `${quorum} is more than the ${people.size} approvers named`,
    })
  }
  return errors
}
