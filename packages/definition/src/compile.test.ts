// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is what expressions look like
import type { ErrorDetail } from '@devflow/contracts'
import { describe, expect, it } from 'vitest'
import { canonicalHash } from './canonical.ts'
import { compile } from './compile.ts'
import { refusal, SCHEMA, TEMPLATE, withTemplate } from './registry.fixture.ts'

/** What compiling the template with this phase in the place of the last says of it. */
function faults(phase: object, change: object = {}): ErrorDetail[] {
  const phases = [...TEMPLATE.phases.slice(0, 2), phase]
  const error = refusal(() => compile(withTemplate({ phases, ...change }), { template: 't@1' }))
  expect([error.kind, error.code]).toEqual(['INVALID', 'invalid_template'])
  return error.errors ?? []
}

describe('compiling a template', () => {
  it('freezes it with all it names', () => {
    const { definition, hash, bindings } = compile(withTemplate({}), { template: 't' })
    expect(bindings).toEqual({ writer: 'w@1', reviewer: 'r-b@1' })
    expect(definition).toMatchObject({
      format: 1,
      template: 't@1',
      title: 't@1',
      roles: {
        writer: { id: 'w@1', vendor: 'deepseek' },
        reviewer: { id: 'r-b@1', vendor: 'qwen', commands: [] },
      },
      artifacts: { spec: { schema: 's@1', jsonSchema: SCHEMA.schema } },
    })
    expect(hash).toBe(canonicalHash(definition))
  })

  it('leaves each agent the tools that its persona and its phase both have', () => {
    const agent = { role: 'writer', prompt: 'x', tools: ['read_file', 'write_file'] }
    const { definition } = compile(withTemplate({ phases: [{ id: 'a', agent }] }), { template: 't' })
    expect(definition.phases[0]).toMatchObject({ agent: { tools: ['read_file', 'complete'] } })
  })

  it('says which template is not there', () => {
    const error = refusal(() => compile(withTemplate({}), { template: 's@1' }))
    expect([error.kind, error.code]).toEqual(['NOT_FOUND', 'template_not_found'])
  })

  it.each([
    [{ id: 'write', wait: { for: 'PT1S' } }, 'phases[2].id', 'is the id of phases[0]'],
    [{ id: 'x', agent: { role: 'nobody', prompt: 'x' } }, 'phases[2].agent.role', 'no role nobody'],
    [
      { id: 'x', agent: { role: 'writer', prompt: 'x', produces: 'poem' } },
      'phases[2].agent.produces',
      'no artifact poem',
    ],
    [
      { id: 'x', agent: { role: 'writer', prompt: 'x', produces: 'spec' } },
      'phases[2].agent.produces',
      'produced by phase write already',
    ],
    [
      { id: 'x', agent: { role: 'writer', prompt: 'x', inputs: ['poem'] } },
      'phases[2].agent.inputs[0]',
      'no artifact poem',
    ],
    [{ id: 'x', gate: { title: 'x', subject: ['spec', 'spec'] } }, 'phases[2].gate.subject[1]', 'twice'],
    [
      { id: 'x', gate: { title: 'x', onReject: { goto: 'nowhere' } } },
      'phases[2].gate.onReject.goto',
      'no phase nowhere',
    ],
    [
      { id: 'x', gate: { title: 'x', allowChanges: 'x' } },
      'phases[2].gate.allowChanges',
      'not an earlier agent phase',
    ],
    [
      { id: 'x', gate: { title: 'x', onReject: { goto: 'x' } } },
      'phases[2].gate.onReject.goto',
      'names the gate itself',
    ],
    [
      {
        id: 'both',
        parallel: { branches: [[{ id: 'x', gate: { title: 'x', onReject: { goto: 'write' } } }]] },
      },
      'phases[2].parallel.branches[0][0].gate.onReject.goto',
      'neither stands before the gate',
    ],
    [
      { id: 'x', gate: { title: 'x', maxRounds: 3 } },
      'phases[2].gate.maxRounds',
      'needs allowChanges or onReject',
    ],
    [
      { id: 'x', gate: { title: 'x', onDeadline: { then: 'fail' } } },
      'phases[2].gate.onDeadline',
      'needs a deadline',
    ],
    [
      { id: 'x', gate: { title: 'x', approvers: ['owner'], quorum: 2 } },
      'phases[2].gate.quorum',
      'more than the 1',
    ],
    [
      { id: 'x', when: 'input.n > 1', wait: { for: 'PT1S' } },
      'phases[2].when',
      'expected an expression: ${{ input.n > 1 }}',
    ],
    [{ id: 'x', when: 'so ${{ true }}', wait: { for: 'PT1S' } }, 'phases[2].when', 'nothing around it'],
    [
      { id: 'x', when: '${{ 1 + 1 }}', wait: { for: 'PT1S' } },
      'phases[2].when',
      'has type int, expected bool',
    ],
    [{ id: 'x', when: '${{ 1 + "a" }}', wait: { for: 'PT1S' } }, 'phases[2].when', 'no such overload'],
    [{ id: 'x', wait: { until: 'tomorrow' } }, 'phases[2].wait.until', 'expected a time'],
    [{ id: 'x', wait: { until: '${{ 5 }}' } }, 'phases[2].wait.until', 'has type int'],
    [{ id: 'x', wait: { signal: 'go-${{ input.n }}' } }, 'phases[2].wait.signal', 'not evaluated here'],
    [{ id: 'x', title: '${{ input.n }}', wait: { for: 'PT1S' } }, 'phases[2].title', 'not evaluated here'],
  ])('refuses %j', (phase, path, message) => {
    expect(faults(phase)).toEqual([{ path, message: expect.stringContaining(message) }])
  })

  it('refuses a gate that goes back over what only its last round would undo', () => {
    const phases = [
      { id: 'one', wait: { for: 'PT1S' }, compensate: { function: 'undo@1' } },
      { id: 'x', gate: { title: 'x', onReject: { goto: 'one' } } },
    ]
    expect(faults({ id: 'each', map: { over: [1], phases } })).toContainEqual({
      path: 'phases[2].map.phases[1].gate.onReject.goto',
      message: expect.stringContaining('cannot go back over one'),
    })
  })

  it.each([
    ['input.reqest', 'input.reqest: not in the schema of input'],
    ['input.request.length', 'not in the schema of input'],
    ['artifacts.poem', 'the template has no artifact poem'],
    ['artifacts.spec.titel', 'artifacts.spec.titel: not in the schema of artifacts.spec'],
    ['artifacts.spec.items[0].name', 'not in the schema'],
    ['phases.write.output.titel', 'not in the schema of phases.write.output'],
    ['phases.write.result', 'a phase has output and status'],
    ['phases.x.output', 'x is not an earlier phase'],
    ['phases.other.status', 'no phase other'],
    ['artifacts.spec.items.map(i, artifacts.poem)', 'no artifact poem'],
    ['phases.my-phase.output', 'a name with a dash is written phases["my-phase"]'],
    ['item', 'known inside map and cycle only'],
    ['spec', 'an expression knows input, artifacts, phases and run'],
    ['input.request ==', 'Unexpected token'],
    ['', 'is empty'],
    ['1 + 1', undefined],
    ['input.more.anything', undefined],
    ['artifacts.spec.items.map(spec, spec.name)', undefined],
    ['has(input.note) ? input.note : ""', undefined],
    ['has(input.note) ? input.noot : ""', 'input.noot: not in the schema of input'],
    ['artifacts.spec.items[0].id', undefined],
    ['has(artifacts.findings) ? 1 : 2', undefined],
    ['phases["write"].output.title + run.id', undefined],
  ])('checks the names in %s', (expression, message) => {
    const phase = { id: 'x', agent: { role: 'writer', prompt: `See \${{ ${expression} }}` } }
    if (message === undefined) {
      const phases = [...TEMPLATE.phases.slice(0, 2), phase]
      expect(compile(withTemplate({ phases }), { template: 't' }).hash).toHaveLength(64)
    } else
      expect(faults(phase)).toEqual([
        { path: 'phases[2].agent.prompt', message: expect.stringContaining(message) },
      ])
  })

  it('refuses an artifact that only a later phase produces', () => {
    const phases = [TEMPLATE.phases[1], TEMPLATE.phases[0]]
    const error = refusal(() => compile(withTemplate({ phases }), { template: 't' }))
    expect(error.errors).toEqual([
      { path: 'phases[0].agent.inputs[0]', message: 'no earlier phase produces spec' },
    ])
  })

  it('finds faults in output, roles, schemas and texts', () => {
    const change = {
      title: '${{ input.n }}',
      output: { verdict: ['${{ artifacts.poem }}'] },
      roles: {
        ...TEMPLATE.roles,
        lone: { differentVendorFrom: 'lone' },
        odd: { differentVendorFrom: 'none' },
      },
      artifacts: { ...TEMPLATE.artifacts, a: { schema: 'none@1' }, b: { schema: 'bad@1' } },
      input: { type: 'object', properties: { x: { type: 'any' } } },
    }
    const bad = { kind: 'schema', id: 'bad@1', schema: { properties: { a: { pattern: '[' } } } }
    const error = refusal(() => compile(withTemplate(change, bad), { template: 't' }))
    expect([...new Set(error.errors?.map(({ path }) => path))]).toEqual([
      'artifacts.a.schema',
      'artifacts.b.schema',
      'input.properties.x.type',
      'roles.lone.differentVendorFrom',
      'roles.odd.differentVendorFrom',
      'output.verdict[0]',
      'title',
    ])
  })
})
