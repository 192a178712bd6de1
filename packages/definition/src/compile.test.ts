// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is what expressions look like
import { DevflowError, type ErrorDetail, type Provider } from '@devflow/contracts'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { canonicalHash } from './canonical.ts'
import { checkArtifact, checkInput } from './check-values.ts'
import { compile } from './compile.ts'
import { planOf } from './plan.ts'
import { type ReadResult, readEntries } from './read-entries.ts'
import { createRegistry, Registry } from './registry.ts'

const TEMPLATE = {
  kind: 'template',
  id: 't@1',
  input: {
    type: 'object',
    properties: { request: { type: 'string' }, n: { type: 'number' }, more: { type: 'object' } },
  },
  roles: {
    writer: { capabilities: ['spec'] },
    reviewer: { capabilities: ['review'], differentVendorFrom: 'writer' },
  },
  artifacts: { spec: { schema: 's@1' }, findings: { schema: 's@1' } },
  phases: [
    { id: 'write', agent: { role: 'writer', prompt: 'Write', produces: 'spec' } },
    { id: 'review', agent: { role: 'reviewer', prompt: 'Review', inputs: ['spec'], produces: 'findings' } },
    { id: 'ok', gate: { title: 'OK?', subject: ['spec'] } },
  ],
}
const SCHEMA = {
  kind: 'schema',
  id: 's@1',
  schema: {
    type: 'object',
    properties: {
      title: { type: 'string' },
      items: { type: 'array', items: { type: 'object', properties: { id: {} } } },
    },
  },
}
const persona = (id: string, capability: string, model: string, provider = 'openrouter') => ({
  kind: 'persona',
  id,
  capabilities: [capability],
  model: { provider, name: model },
  tools: ['read_file', 'list_dir', 'complete'],
})
const PERSONAS = [
  persona('w@1', 'spec', 'deepseek/v3'),
  persona('r-a@1', 'review', 'deepseek/v3'),
  persona('r-b@1', 'review', 'qwen/coder'),
  persona('off-w@1', 'spec', 'rules', 'offline'),
]

function registryOf(...entries: unknown[]): Registry {
  const read: ReadResult = { entries: [], errors: [] }
  for (const entry of entries) {
    const one = readEntries(JSON.stringify(entry), 'test.json')
    read.entries.push(...one.entries)
    read.errors.push(...one.errors)
  }
  expect(read.errors).toEqual([])
  return new Registry([read])
}

const withTemplate = (change: object, ...more: unknown[]) =>
  registryOf({ ...TEMPLATE, ...change }, SCHEMA, ...PERSONAS, ...more)

function refusal(work: () => unknown): DevflowError {
  try {
    work()
  } catch (error) {
    if (error instanceof DevflowError) return error
    throw error
  }
  throw new Error('was not refused')
}

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

describe('binding roles', () => {
  const bind = (
    bindings: Record<string, string>,
    hasKey?: (provider: Provider) => boolean,
    ...more: unknown[]
  ) => compile(withTemplate({}, ...more), { template: 't', bindings, hasKey }).bindings

  it('takes an override, and gives the others what still fits', () => {
    expect(bind({ writer: 'off-w' })).toEqual({ writer: 'off-w@1', reviewer: 'r-a@1' })
    expect(bind({ reviewer: 'r-b@1' })).toEqual({ writer: 'w@1', reviewer: 'r-b@1' })
  })

  it('chooses another author when that lets the reviewer differ', () => {
    const other = persona('z-writer@1', 'spec', 'mistral/large')
    expect(bind({ reviewer: 'r-a@1' }, undefined, other)).toEqual({ writer: 'z-writer@1', reviewer: 'r-a@1' })
  })

  it.each([
    [{ reviewer: 'r-a' }, 'bindings.reviewer', 'must be of another vendor than writer'],
    [{ writer: 'nobody' }, 'bindings.writer', 'there is no persona nobody'],
    [{ writer: 's@1' }, 'bindings.writer', 'there is no persona s@1'],
    [{ painter: 'w@1' }, 'bindings.painter', 'no role painter'],
  ])('refuses the override %j', (bindings, path, message) => {
    const error = refusal(() => bind(bindings))
    expect([error.kind, error.code]).toEqual(['INVALID', 'binding_failed'])
    expect(error.errors).toEqual([{ path, message: expect.stringContaining(message) }])
  })

  it('counts the vendors of fallbacks too', () => {
    const model = { provider: 'openrouter', name: 'meta/llama', fallbacks: ['deepseek/v3'] }
    const error = refusal(() =>
      bind({ reviewer: 'mixed@1' }, undefined, { ...persona('mixed@1', 'review', 'x'), model }),
    )
    expect(error.errors?.[0]?.message).toContain('deepseek')
  })

  it('passes over personas without a key, and names the variable when nobody is left', () => {
    const direct = [
      persona('d-w@1', 'spec', 'claude', 'anthropic'),
      persona('d-r@1', 'review', 'gpt', 'openai'),
    ]
    expect(bind({}, (provider) => provider !== 'openrouter', ...direct)).toEqual({
      writer: 'd-w@1',
      reviewer: 'd-r@1',
    })
    const error = refusal(() => bind({ writer: 'off-w' }, () => false))
    expect(error.errors).toEqual([
      { path: 'roles.reviewer', message: expect.stringMatching(/OPENROUTER_API_KEY.*devflow login/) },
    ])
    expect(refusal(() => bind({ writer: 'w@1' }, () => false)).errors?.map(({ path }) => path)).toContain(
      'bindings.writer',
    )
  })

  it('never lets a stand-in play by itself', () => {
    const registry = registryOf(
      { ...TEMPLATE, roles: { writer: { capabilities: ['spec'] } }, phases: [TEMPLATE.phases[0]] },
      SCHEMA,
      PERSONAS[3],
    )
    expect(refusal(() => compile(registry, { template: 't' })).errors).toEqual([
      { path: 'roles.writer', message: 'there is no persona with the capabilities spec' },
    ])
  })

  it('takes the newest version of a persona', () => {
    expect(
      bind({}, undefined, persona('w@10', 'spec', 'deepseek/v4'), persona('w@9', 'spec', 'deepseek/v4'))
        .writer,
    ).toBe('w@10')
  })

  it('lets a template name its personas', () => {
    const roles = { ...TEMPLATE.roles, writer: { persona: 'off-w@1' } }
    expect(compile(withTemplate({ roles }), { template: 't' }).bindings.writer).toBe('off-w@1')
  })
})

/** The same JSON with the keys of every object in another order. */
function reordered(value: unknown, rank: (key: string) => number): unknown {
  if (Array.isArray(value)) return value.map((item) => reordered(item, rank))
  if (value === null || typeof value !== 'object') return value
  const entries = Object.entries(value).sort(([a], [b]) => rank(a) - rank(b))
  return Object.fromEntries(entries.map(([key, item]) => [key, reordered(item, rank)]))
}

describe('a definition', () => {
  it('has the same hash and bindings whatever the order of keys, entries and overrides', () => {
    const entries = [
      TEMPLATE,
      SCHEMA,
      ...PERSONAS,
      persona('w2@1', 'spec', 'x/y'),
      persona('r-c@1', 'review', 'x/y'),
    ]
    const expected = compile(registryOf(...entries), { template: 't' })
    fc.assert(
      fc.property(
        fc.shuffledSubarray(entries, { minLength: entries.length }),
        fc.integer(),
        (shuffled, seed) => {
          const rank = (key: string) => Number.parseInt(canonicalHash(`${key}${seed}`).slice(0, 8), 16)
          const again = compile(registryOf(...shuffled.map((entry) => reordered(entry, rank))), {
            template: 't',
          })
          expect(again.hash).toBe(expected.hash)
          expect(again.bindings).toEqual(expected.bindings)
        },
      ),
      { numRuns: 40 },
    )
  })

  it('has another hash when anything in it changes', () => {
    const base = compile(withTemplate({}), { template: 't' }).hash
    expect(compile(withTemplate({ title: 'new' }), { template: 't' }).hash).not.toBe(base)
    expect(compile(withTemplate({}), { template: 't', bindings: { writer: 'off-w' } }).hash).not.toBe(base)
  })

  it('shares nothing with the registry', () => {
    const registry = withTemplate({})
    const { definition, hash } = compile(registry, { template: 't' })
    definition.phases.pop()
    expect(compile(registry, { template: 't' }).hash).toBe(hash)
  })

  it('has a plan of ids, kinds and times, and is refused when that is too large', () => {
    const phases = [
      {
        id: 'a',
        agent: { role: 'writer', prompt: 'long '.repeat(100) },
        timeout: 'PT5M',
        onError: 'continue',
        retry: { maxAttempts: 3, backoff: 'PT2S' },
      },
      { id: 'b', wait: { for: 'PT1S' } },
    ]
    expect(planOf(compile(withTemplate({ phases }), { template: 't' }).definition)).toEqual({
      format: 1,
      template: 't@1',
      title: 't@1',
      steps: [
        {
          id: 'a',
          kind: 'agent',
          persona: 'w@1',
          continues: true,
          timeoutMs: 300_000,
          maxAttempts: 3,
          backoffMs: 2000,
        },
        { id: 'b', kind: 'wait' },
      ],
    })
    const many = Array.from({ length: 500 }, (_, index) => ({
      id: `p${index}${'x'.repeat(50)}`,
      wait: { for: 'PT1S' },
    }))
    const error = refusal(() => compile(withTemplate({ phases: many }), { template: 't' }))
    expect([error.kind, error.code, error.errors?.[0]?.path]).toEqual(['INVALID', 'plan_too_large', 'phases'])
  })

  it('refuses any template with errors that have paths, and never throws anything else', () => {
    const text = fc.oneof(
      fc.string(),
      fc.constantFrom(
        '${{',
        '${{ input.n }}',
        '${{ phases.a.output }}',
        '${{ artifacts["spec"] }}',
        'spec',
        'a',
      ),
    )
    const name = fc.constantFrom('a', 'b', 'writer', 'spec', 'findings', 'constructor')
    const phase = fc.oneof(
      fc.record({
        id: name,
        agent: fc.record(
          { role: name, prompt: text, inputs: fc.array(name), produces: name },
          { requiredKeys: ['role', 'prompt'] },
        ),
      }),
      fc.record({
        id: name,
        when: text,
        gate: fc.record(
          { title: text, subject: fc.array(name), allowChanges: name },
          { requiredKeys: ['title'] },
        ),
      }),
      fc.record({ id: name, wait: fc.record({ until: text }) }),
    )
    const template = fc.record(
      {
        input: fc.dictionary(fc.string(), fc.jsonValue()),
        phases: fc.array(phase, { minLength: 1, maxLength: 5 }),
        output: fc.oneof(text, fc.jsonValue()),
      },
      { requiredKeys: ['phases'] },
    )
    fc.assert(
      fc.property(template, (change) => {
        const read = [SCHEMA, ...PERSONAS, { ...TEMPLATE, ...change }].map((entry) =>
          readEntries(JSON.stringify(entry), 'f'),
        )
        if (read.some(({ errors }) => errors.length > 0)) return
        try {
          compile(new Registry(read), { template: 't' })
        } catch (error) {
          expect(error).toBeInstanceOf(DevflowError)
          for (const { path } of (error as DevflowError).errors ?? []) expect(path).not.toBe('')
        }
      }),
      { numRuns: 200 },
    )
  })
})

describe('the built-in catalog', () => {
  let registry: Registry
  beforeAll(async () => {
    registry = await createRegistry()
  })

  it('holds nothing that is wrong', () => {
    expect(registry.errors).toEqual([])
    for (const { id } of registry.list({ kind: 'template' }))
      expect(compile(registry, { template: id }).hash).toHaveLength(64)
    for (const { id, entry } of registry.list({ kind: 'persona' })) {
      expect(entry).toMatchObject({
        id,
        instructions: expect.any(String),
        capabilities: [expect.any(String)],
      })
    }
  })

  it('reviews a spec by another vendor than its author, with and without a key', () => {
    const { definition, bindings } = compile(registry, { template: 'spec-and-review@1' })
    expect(bindings).toEqual({
      'spec-writer': 'openrouter-deepseek-spec-writer@1',
      reviewer: 'openrouter-qwen-code-reviewer@1',
      verifier: 'openrouter-deepseek-verifier@1',
    })
    expect(definition.budget).toEqual({ limitMicroUsd: 500_000, onExceeded: 'prompt' })
    const offline = {
      'spec-writer': 'offline-spec-writer',
      reviewer: 'offline-code-reviewer',
      verifier: 'offline-verifier',
    }
    const request = { template: 'spec-and-review', bindings: offline, hasKey: () => false }
    expect(compile(registry, request).bindings.reviewer).toBe('offline-code-reviewer@1')
    const scripted = { template: 'spec-and-review', bindings: { reviewer: 'fake-reviewer' } }
    expect(compile(registry, scripted).definition.roles.reviewer?.model.script).toMatchObject({ turns: [{}] })
  })

  it('checks the input and the artifacts of a run', () => {
    const { definition } = compile(registry, { template: 'spec-and-review@1' })
    expect(checkInput(definition, { request: 'x' })).toEqual([])
    expect(checkInput(definition, undefined)).toEqual([{ path: 'request', message: 'is required' }])
    expect(checkInput(definition, { request: '' })[0]?.path).toBe('request')
    const finding = { id: 'F1', severity: 'minor', title: 't', detail: 'd', requirement: 'R1' }
    expect(checkArtifact(definition, 'findings', { summary: 's', findings: [finding] })).toEqual([])
    expect(
      checkArtifact(definition, 'findings', { summary: 's', findings: [{ ...finding, severity: 'bad' }] }),
    ).toEqual([{ path: 'findings[0].severity', message: expect.stringContaining('must be one of') }])
    const spec = {
      title: 't',
      summary: 's',
      requirements: [{ id: 'R1', text: 'x', evidence: [{ path: 'a.ts', line: 1, note: 'n' }] }],
      acceptance: ['x'],
    }
    expect(checkArtifact(definition, 'spec', spec)).toEqual([])
    const verdict = {
      verdict: 'needs_work',
      reasons: ['r'],
      checks: [{ requirement: 'R1', status: 'fail', evidence: 'e' }],
    }
    expect(checkArtifact(definition, 'verdict', verdict)).toEqual([])
    expect(refusal(() => checkArtifact(definition, 'toString', {})).code).toBe('artifact_not_found')
  })

  it('has a scripted reviewer whose words are valid findings', () => {
    const { definition } = compile(registry, {
      template: 'spec-and-review',
      bindings: { reviewer: 'fake-reviewer' },
    })
    const script = definition.roles.reviewer?.model.script as {
      turns: { toolCalls: { arguments: { content: unknown } }[] }[]
    }
    expect(checkArtifact(definition, 'findings', script.turns[0]?.toolCalls[0]?.arguments.content)).toEqual(
      [],
    )
  })
})
