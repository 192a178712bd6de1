import type { ErrorDetail, TemplateEntry } from '@devflow/contracts'
import { strayExpressions, textErrors, valueErrors } from './check-expressions.ts'
import { phaseErrors } from './check-phase.ts'
import { checkSchema } from './json-schema.ts'
import { EVENT } from './locals.ts'
import type { ArtifactSchemas, FunctionOutputs } from './output-schemas.ts'
import { pathText, pathUnder } from './path.ts'
import { type Place, placesOf, producedBy } from './places.ts'
import { around } from './tree.ts'

/** Phases in all, however deep, and how deep. */
const MOST_PHASES = 500
const DEEPEST = 8

/** Everything that is wrong with a template itself, before anyone is bound to its roles. */
export function templateErrors(
  template: TemplateEntry,
  schemas: ArtifactSchemas,
  outputs: FunctionOutputs = new Map(),
): ErrorDetail[] {
  const input = template.input ?? {}
  const errors: ErrorDetail[] = checkSchema(input).map(({ path, message }) => ({
    path: pathUnder('input', path),
    message,
  }))
  const { places, atEnd } = placesOf(template, schemas, outputs)
  errors.push(...roleErrors(template), ...sizeErrors(places), ...idErrors(places))
  for (const place of places) errors.push(...phaseErrors(template, place, places), ...expressionErrors(place))
  errors.push(...producerErrors(places))
  if (template.output !== undefined) errors.push(...valueErrors(template.output, ['output'], atEnd))
  const { phases: _, output: __, input: ___, ...rest } = template
  return [...errors, ...strayExpressions(rest, [], () => false)]
}

function roleErrors({ roles = {} }: TemplateEntry): ErrorDetail[] {
  return Object.entries(roles).flatMap(([name, role]) => {
    const other = role.differentVendorFrom
    if (other === undefined) return []
    const path = `roles.${name}.differentVendorFrom`
    if (other === name) return [{ path, message: 'names the role itself' }]
    return Object.hasOwn(roles, other) ? [] : [{ path, message: `the template has no role ${other}` }]
  })
}

function sizeErrors(places: readonly Place[]): ErrorDetail[] {
  if (places.length > MOST_PHASES)
    return [{ path: 'phases', message: `${places.length} phases, more than ${MOST_PHASES}` }]
  const deep = places.find(({ node }) => around(node).length >= DEEPEST)
  return deep ? [{ path: pathText(deep.path), message: `is more than ${DEEPEST} levels deep` }] : []
}

/** Names are unique in the whole template: ids of what runs inside others are made of them. */
function idErrors(places: readonly Place[]): ErrorDetail[] {
  const first = new Map<string, string>()
  return places.flatMap(({ node: { name }, path }) => {
    const before = first.get(name)
    if (before === undefined) first.set(name, pathText(path))
    return before === undefined
      ? []
      : [{ path: pathText([...path, 'id']), message: `${name} is the id of ${before}` }]
  })
}

function producerErrors(places: readonly Place[]): ErrorDetail[] {
  const first = new Map<string, string>()
  return places.flatMap(({ node, path }) => {
    const artifact = producedBy(node)
    if (artifact === undefined) return []
    const before = first.get(artifact)
    if (before === undefined) first.set(artifact, node.name)
    return before === undefined
      ? []
      : [
          {
            path: pathText([...path, 'agent', 'produces']),
            message: `${artifact} is produced by phase ${before} already`,
          },
        ]
  })
}

/**
 * Where a phase may hold expressions: its condition, what agents and people read, the time of a wait, what a map goes
 * over, when a cycle ends, what a child run, a function and what undoes a phase are given.
 */
function expressionErrors({ node: { phase }, path, names, after, done }: Place): ErrorDetail[] {
  const errors: ErrorDetail[] = []
  const places = new Set<string>()
  const text = (
    value: string,
    at: PropertyKey[],
    expected: Parameters<typeof textErrors>[3] = 'any',
    known = names,
  ) => {
    places.add(at.join('.'))
    errors.push(...textErrors(value, [...path, ...at], known, expected))
  }
  if (typeof phase.when === 'string') text(phase.when, ['when'], 'bool')
  if ('agent' in phase) text(phase.agent.prompt, ['agent', 'prompt'])
  if ('gate' in phase) text(phase.gate.title, ['gate', 'title'])
  if ('wait' in phase && 'until' in phase.wait) text(phase.wait.until, ['wait', 'until'], 'time')
  if ('wait' in phase && 'event' in phase.wait && phase.wait.match !== undefined) {
    const known = { ...names, locals: new Map([...names.locals, ['event', EVENT]]) }
    text(phase.wait.match, ['wait', 'match'], 'bool', known)
  }
  if ('map' in phase && typeof phase.map.over === 'string') text(phase.map.over, ['map', 'over'], 'list')
  if ('cycle' in phase && typeof phase.cycle.until === 'string')
    text(phase.cycle.until, ['cycle', 'until'], 'bool', after)
  if ('workflow' in phase) {
    places.add('workflow.input')
    errors.push(...valueErrors(phase.workflow.input, [...path, 'workflow', 'input'], names))
  }
  if ('function' in phase) {
    places.add('function.input')
    errors.push(...valueErrors(phase.function.input, [...path, 'function', 'input'], names))
  }
  if (phase.compensate) {
    places.add('compensate.input')
    errors.push(...valueErrors(phase.compensate.input, [...path, 'compensate', 'input'], done))
  }
  // What is inside has its own turn.
  for (const inside of ['parallel.branches', 'map.phases', 'cycle.phases']) places.add(inside)
  const allowed = (at: readonly PropertyKey[]) => places.has(at.slice(path.length).join('.'))
  return [...errors, ...strayExpressions(phase, path, allowed)]
}
