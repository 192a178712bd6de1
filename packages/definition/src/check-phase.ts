import type { AgentPhase, ErrorDetail, GatePhase, Phase, TemplateEntry } from '@devflow/contracts'
import type { Names } from './expression-names.ts'
import { hasExpression } from './interpolation.ts'
import { isOneExpression, oneExpression } from './one-expression.ts'
import { pathText } from './path.ts'
import type { Place } from './places.ts'
import { type PhaseNode, roundStart } from './tree.ts'

/** What an expression names otherwise, and CEL's own words: no name for a map's items. */
const TAKEN = ['input', 'artifacts', 'phases', 'run', 'item', 'index', 'iteration', 'last', 'event']
const WORDS = ['in', 'true', 'false', 'null', 'has', 'size', 'type', 'int', 'uint', 'double', 'bool']

/** What a phase says that does not fit the rest of its template. */
export function phaseErrors(
  template: TemplateEntry,
  { node: { phase }, path, names }: Place,
  places: readonly Place[],
): ErrorDetail[] {
  const base = pathText(path)
  const errors = oneExpression(phase.when, `${base}.when`)
  if ('agent' in phase) errors.push(...agentErrors(phase.agent, `${base}.agent`, template, names))
  if ('gate' in phase) errors.push(...gateErrors(phase, phase.gate, `${base}.gate`, places, names))
  if ('wait' in phase && 'until' in phase.wait)
    errors.push(...untilErrors(phase.wait.until, `${base}.wait.until`))
  if ('wait' in phase && 'event' in phase.wait)
    errors.push(...oneExpression(phase.wait.match, `${base}.wait.match`))
  if ('map' in phase) {
    errors.push(...oneExpression(phase.map.over, `${base}.map.over`))
    const { as } = phase.map
    if (as !== undefined && (TAKEN.includes(as) || WORDS.includes(as) || as.includes('-')))
      errors.push({ path: `${base}.map.as`, message: `${as} cannot be a name in expressions` })
  }
  if ('cycle' in phase) {
    errors.push(...oneExpression(phase.cycle.until, `${base}.cycle.until`))
    if (phase.cycle.until === undefined && phase.cycle.max === undefined)
      errors.push({ path: `${base}.cycle`, message: 'needs until, max, or both' })
  }
  return errors
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
    if (artifact.within !== undefined)
      return [
        {
          path: at,
          message: `${name} is made for each item of ${artifact.within}, and is no one thing here`,
        },
      ]
    return artifacts?.indexOf(name) === index ? [] : [{ path: at, message: `names ${name} twice` }]
  })
}

/**
 * Only the last round of a phase is undone when the run fails. Inside phases that hold others every round is a running of
 * its own, and all are.
 */
function undoneError(target: PhaseNode, gate: PhaseNode, places: readonly Place[]): string | undefined {
  const start = roundStart(target, gate)
  const over = places.find(
    ({ node: { parent, branch, index, phase } }) =>
      parent === gate.parent &&
      branch === gate.branch &&
      index >= (start?.index ?? gate.index) &&
      index <= gate.index &&
      phase.compensate !== undefined,
  )
  return (
    over && `the run cannot go back over ${over.node.name}, which has compensate: put that behind the gate`
  )
}

function gateErrors(
  phase: Phase,
  gate: GatePhase,
  path: string,
  places: readonly Place[],
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
  const targets = [
    { at: `${path}.allowChanges`, name: allowChanges, isAgent: true },
    { at: `${path}.onReject.goto`, name: typeof onReject === 'object' ? onReject.goto : undefined },
  ]
  const self = places.find(({ node }) => node.phase === phase)?.node
  for (const { at, name, isAgent } of targets) {
    if (name === undefined) continue
    const target = places.find(({ node }) => node.name === name)?.node
    const isEarlierAgent = names.phases.get(name)?.ready && target?.kind === 'agent'
    let message: string | undefined
    if (!target) message = `the template has no phase ${name}`
    else if (isAgent && !isEarlierAgent) message = `${name} is not an earlier agent phase`
    else if (name === phase.id) message = 'names the gate itself'
    else if (self && !roundStart(target, self))
      message = `${name} neither stands before the gate in the same list of phases, nor inside one that does`
    else if (self) message = undoneError(target, self, places)
    if (message !== undefined) errors.push({ path: at, message })
  }
  if (gate.maxRounds !== undefined && allowChanges === undefined && typeof onReject !== 'object')
    errors.push({ path: `${path}.maxRounds`, message: 'needs allowChanges or onReject: { goto: … }' })
  // Only named people can be counted; a role may have any number of holders. Who is asked at the deadline may decide, too.
  const escalated = onDeadline?.escalateTo?.flatMap((who) => (typeof who === 'string' ? [who] : who.to)) ?? []
  const people = new Set([...(approvers ?? []), ...escalated])
  if (approvers && ![...people].some((who) => who.startsWith('role:')) && people.size < quorum) {
    errors.push({
      path: `${path}.quorum`,
      message: `${quorum} is more than the ${people.size} approvers named`,
    })
  }
  return errors
}
