// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is what expressions look like
import { DevflowError } from '@devflow/contracts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalHash } from './canonical.ts'
import { compile } from './compile.ts'
import { planOf } from './plan.ts'
import { readEntries } from './read-entries.ts'
import { PERSONAS, persona, refusal, registryOf, SCHEMA, TEMPLATE, withTemplate } from './registry.fixture.ts'
import { Registry } from './registry.ts'

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
    const artifact = definition.artifacts.spec
    if (artifact) artifact.jsonSchema.type = 'array'
    definition.roles.writer?.tools.pop()
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
