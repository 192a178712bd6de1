import type { ErrorDetail, JsonSchema, Phase, TemplateEntry } from '@devflow/contracts'
import { strayExpressions, textErrors, valueErrors } from './check-expressions.ts'
import { phaseErrors } from './check-phase.ts'
import type { Names } from './expression-names.ts'
import { checkSchema } from './json-schema.ts'
import { pathUnder } from './path.ts'

/** A template's artifacts with the schemas they name. */
export type ArtifactSchemas = ReadonlyMap<string, JsonSchema>

/** Everything that is wrong with a template itself, before anyone is bound to its roles. */
export function templateErrors(template: TemplateEntry, schemas: ArtifactSchemas): ErrorDetail[] {
  const input = template.input ?? {}
  const errors: ErrorDetail[] = checkSchema(input).map(({ path, message }) => ({
    path: pathUnder('input', path),
    message,
  }))
  errors.push(...roleErrors(template), ...idErrors(template.phases))
  for (const [index, phase] of template.phases.entries()) {
    const names = namesAt(template, schemas, index)
    errors.push(...phaseErrors(template, index, names), ...expressionErrors(phase, ['phases', index], names))
  }
  errors.push(...producerErrors(template.phases))
  if (template.output !== undefined) {
    errors.push(
      ...valueErrors(template.output, ['output'], namesAt(template, schemas, template.phases.length)),
    )
  }
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

function idErrors(phases: readonly Phase[]): ErrorDetail[] {
  const first = new Map<string, number>()
  return phases.flatMap(({ id }, index) => {
    const before = first.get(id)
    if (before === undefined) first.set(id, index)
    return before === undefined
      ? []
      : [{ path: `phases[${index}].id`, message: `${id} is the id of phases[${before}]` }]
  })
}

function producerErrors(phases: readonly Phase[]): ErrorDetail[] {
  const first = new Map<string, string>()
  return phases.flatMap((phase, index) => {
    const artifact = 'agent' in phase ? phase.agent.produces : undefined
    if (artifact === undefined) return []
    const before = first.get(artifact)
    if (before === undefined) first.set(artifact, phase.id)
    return before === undefined
      ? []
      : [
          {
            path: `phases[${index}].agent.produces`,
            message: `${artifact} is produced by phase ${before} already`,
          },
        ]
  })
}

/** What expressions of the phase at `index` can name; past the last phase, what `output` can. */
function namesAt(template: TemplateEntry, schemas: ArtifactSchemas, index: number): Names {
  const produced = new Set(
    template.phases
      .slice(0, index)
      .flatMap((phase) => ('agent' in phase ? (phase.agent.produces ?? []) : [])),
  )
  const artifacts = Object.keys(template.artifacts ?? {}).map(
    (name) => [name, { schema: schemas.get(name) ?? {}, ready: produced.has(name) }] as const,
  )
  const phases = template.phases.map((phase, at) => {
    const artifact = 'agent' in phase ? phase.agent.produces : undefined
    const output = (artifact === undefined ? undefined : schemas.get(artifact)) ?? {}
    return [phase.id, { output, ready: at < index }] as const
  })
  return { input: template.input ?? {}, artifacts: new Map(artifacts), phases: new Map(phases) }
}

/** Where a phase may hold expressions: its condition, what agents and people read, and the time of a wait. */
function expressionErrors(phase: Phase, path: readonly PropertyKey[], names: Names): ErrorDetail[] {
  const errors: ErrorDetail[] = []
  const places = new Set<string>()
  const text = (value: string, at: PropertyKey[], expected: 'any' | 'bool' | 'time' = 'any') => {
    places.add(at.join('.'))
    errors.push(...textErrors(value, [...path, ...at], names, expected))
  }
  if (typeof phase.when === 'string') text(phase.when, ['when'], 'bool')
  if ('agent' in phase) text(phase.agent.prompt, ['agent', 'prompt'])
  if ('gate' in phase) text(phase.gate.title, ['gate', 'title'])
  if ('wait' in phase && 'until' in phase.wait) text(phase.wait.until, ['wait', 'until'], 'time')
  const allowed = (at: readonly PropertyKey[]) => places.has(at.slice(path.length).join('.'))
  return [...errors, ...strayExpressions(phase, path, allowed)]
}
