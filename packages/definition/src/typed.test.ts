// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is what expressions look like
import type { JsonSchema } from '@devflow/contracts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkExpression, evaluate, type Scope } from './cel.ts'
import { textErrors } from './check-expressions.ts'
import { triggerErrors } from './check-trigger.ts'
import { compile } from './compile.ts'
import type { Names } from './expression-names.ts'
import { PERSONAS, refusal, registryOf, SCHEMA } from './registry.fixture.ts'
import { COUNT } from './schema-types.ts'

const text: JsonSchema = { type: 'string' }
const ROW: JsonSchema = {
  type: 'object',
  properties: { name: text, size: { type: 'integer' }, price: { type: 'number' }, ok: { type: 'boolean' } },
  additionalProperties: false,
}
const INPUT: JsonSchema = {
  type: 'object',
  properties: {
    rows: { type: 'array', items: ROW },
    tags: { type: 'array', items: text },
    n: { type: 'integer' },
    any: {},
  },
}

const ask = (id: string, prompt: string, more: object = {}) => ({
  id,
  agent: { role: 'writer', prompt, ...more },
})
const nap = (id: string, more: object = {}) => ({ id, wait: { for: 'PT1S' }, ...more })
const map = (over: unknown, phases: object[], more: object = {}) => ({
  id: 'each',
  map: { over, phases, ...more },
})
const gate = { id: 'ok', gate: { title: 'Go on?', onReject: 'end' } }
const both = (...branches: object[][]) => ({ id: 'both', parallel: { branches } })
const cycle = (phases: object[], more: object = { max: 3 }) => ({ id: 'loop', cycle: { phases, ...more } })
const write = ask('write', 'Write', { produces: 'spec' })

const template = (phases: object[]) => ({
  kind: 'template',
  id: 't@1',
  input: INPUT,
  roles: { writer: { capabilities: ['spec'] } },
  artifacts: { spec: { schema: 's@1' } },
  phases,
})
const compiled = (phases: object[]) =>
  compile(registryOf(template(phases), SCHEMA, ...PERSONAS), { template: 't' })

describe('what maps and cycles name', () => {
  it.each<[string, object[]]>([
    [
      'counts, in texts and sums',
      [map([1], [ask('a', '${{ index + 1 }} ${{ "n" + string(index) }} ${{ index * 1.5 }}')])],
    ],
    [
      'fields of items',
      [map('${{ input.rows }}', [ask('a', '${{ file.name + "!" }} ${{ item.size > 2 }}')], { as: 'file' })],
    ],
    [
      'items picked and made',
      [map('${{ input.rows.filter(r, r.ok).map(r, r.name) }}', [ask('a', '${{ item + "!" }}')])],
    ],
    ['what is not typed', [map('${{ input.any }}', [ask('a', '${{ item.x + 1 }} ${{ item.y + "a" }}')])]],
    [
      'items of a list as written',
      [map([{ a: 'x' }, { a: 'y', b: 1 }], [ask('a', '${{ item.a + "!" }} ${{ has(item.b) }}')])],
    ],
    [
      'items of several types',
      [map([1, 'x', null], [nap('a', { when: '${{ item != null && item != "y" }}' })])],
    ],
    [
      'the last artifact, and that there is none yet',
      [
        cycle([write], { until: '${{ last.title == "x" }}', max: 2 }),
        nap('b', { when: '${{ phases.loop.output == null || phases.loop.output.title != "" }}' }),
      ],
    ],
    [
      'none before the first',
      [cycle([ask('a', '${{ last == null ? "begin" : last.text }} ${{ iteration }}')])],
    ],
    ['branches of any type', [map('${{ input.rows }}', [ask('a', '${{ item.ok ? item.size : "none" }}')])]],
    [
      'the inner of two maps',
      [map([1], [{ id: 'in', map: { over: ['x'], phases: [ask('a', '${{ item + "!" }}')] } }])],
    ],
    [
      'what a map came to',
      [
        map([1], [write]),
        map('${{ phases.each.output }}', [nap('a', { when: '${{ item.title != "" }}' })], {}),
      ]
        .map((phase, at) => ({ ...phase, id: `m${at}` }))
        .map((phase, at) => (at === 0 ? { ...phase, id: 'each' } : phase)),
    ],
    [
      'how a gate was decided',
      [
        gate,
        nap('b', { when: '${{ phases.ok.output.status == "approved" }}' }),
        map('${{ phases.ok.output.decisions }}', [ask('a', '${{ item.actor + ": " + item.comment }}')]),
      ],
    ],
    [
      'what branches came to, each by its place',
      [
        both([write], [gate]),
        ask('a', '${{ phases.both.output[0].title + "!" }} ${{ phases.both.output[1].status + "!" }}'),
        map('${{ phases.both.output }}', [nap('b', { when: '${{ item != null && item.any == 1 }}' })]),
      ],
    ],
  ])('may be used as %s', (_, phases) => {
    expect(compiled(phases).hash).toHaveLength(64)
  })

  it.each<[string, object[], string, string]>([
    [
      'a count as text',
      [map([1], [ask('a', '${{ index + "a" }}')])],
      'phases[0].map.phases[0].agent.prompt',
      '${{ index + "a" }}: no such overload: int + string; string(…), int(…), double(…) turn one type into another',
    ],
    [
      'an iteration as text',
      [cycle([ask('a', 'Round ${{ "no " + iteration }}')])],
      'phases[0].cycle.phases[0].agent.prompt',
      'no such overload: string + int',
    ],
    [
      'a field that items have not',
      [map('${{ input.rows }}', [ask('a', '${{ item.nope }}')])],
      'phases[0].map.phases[0].agent.prompt',
      '${{ item.nope }}: item.nope: not in the schema of item, which has name, size, price, ok',
    ],
    [
      'such a field by its other name',
      [map('${{ input.rows }}', [ask('a', '${{ file.nope }}')], { as: 'file' })],
      'phases[0].map.phases[0].agent.prompt',
      'file.nope: not in the schema of file',
    ],
    [
      'a field of a number',
      [map([1, 2], [ask('a', '${{ item.x }}')])],
      'phases[0].map.phases[0].agent.prompt',
      'item.x: not in the schema of item',
    ],
    [
      'an item of another type',
      [map('${{ input.rows }}', [ask('a', '${{ 1 > 0 && item.name > item.size }}')])],
      'phases[0].map.phases[0].agent.prompt',
      'no such overload: string > double in item.name > item.size (character 10)',
    ],
    [
      'a condition that is text',
      [map('${{ input.rows }}', [nap('a', { when: '${{ item.name }}' })])],
      'phases[0].map.phases[0].when',
      'has type string, expected bool',
    ],
    [
      'a list that is none',
      [map('${{ input.n }}', [nap('a')])],
      'phases[0].map.over',
      'has type double, expected list',
    ],
    [
      'a field that what came last has not',
      [cycle([write], { until: '${{ last.good }}' })],
      'phases[0].cycle.until',
      'last.good: not in the schema of last, which has title, items',
    ],
    [
      'an end that is no condition',
      [cycle([write], { until: '${{ last.title }}' })],
      'phases[0].cycle.until',
      'has type string, expected bool',
    ],
    [
      'a text in a sum, deep in a macro',
      [map('${{ input.tags }}', [nap('a', { when: '${{ input.rows.exists(r, r.size == item) }}' })])],
      'phases[0].map.phases[0].when',
      'no such overload: double == string in r.size == item',
    ],
    [
      'an index that does not fit',
      [map([1], [ask('a', '${{ input.rows[index + "a"].name }}')])],
      'phases[0].map.phases[0].agent.prompt',
      'no such overload: int + string in index + "a"',
    ],
    [
      'an output of a map as an object',
      [map([1], [write]), nap('b', { when: '${{ phases.each.output.title == "x" }}' })],
      'phases[1].when',
      'not in the schema of phases.each.output',
    ],
    [
      'a word that no gate says',
      [gate, nap('b', { when: '${{ phases.ok.output.state == "approved" }}' })],
      'phases[1].when',
      'phases.ok.output.state: not in the schema of phases.ok.output, which has status, decisions',
    ],
    [
      'a field of one branch taken from another',
      [both([write], [gate]), ask('a', '${{ phases.both.output[1].title }}')],
      'phases[1].agent.prompt',
      'phases.both.output[1].title: not in the schema of phases.both.output, which has status, decisions',
    ],
    [
      'a branch that there is not',
      [both([write], [gate]), ask('a', '${{ phases.both.output[2] }}')],
      'phases[1].agent.prompt',
      'phases.both.output[2]: not in the schema of phases.both.output',
    ],
  ])('may not be used as %s', (_, phases, path, message) => {
    expect(refusal(() => compiled(phases)).errors).toEqual([
      { path, message: expect.stringContaining(message) },
    ])
  })
})

it('counts are ints when they are evaluated, too', () => {
  const scope: Scope = { input: {}, artifacts: {}, phases: {}, run: { id: 'r', attempt: 1 } }
  const locals = { index: 1, iteration: 3 }
  expect(evaluate('"abc".substring(index) + string(iteration)', { ...scope, locals })).toBe('bc3')
  expect(evaluate('[index, iteration / 2, index * 0.5]', { ...scope, locals })).toEqual([1, 1, 0.5])
})

it('what triggers and schedules are told has types', () => {
  const submit = { template: 't', input: '${{ event.data.order }}' }
  const of = (match: string) => triggerErrors({ topic: 'a', match, submit })
  expect(of('${{ event.topic == "a" && event.data.n > 2 }}')).toEqual([])
  expect(of('${{ event.topic + 1 == 2 }}')).toEqual([
    { path: 'match', message: expect.stringContaining('no such overload: string + int in event.topic + 1') },
  ])
  expect(of('${{ event.topik == "a" }}')).toEqual([
    { path: 'match', message: expect.stringContaining('event.topik: not in the schema of event') },
  ])
})

describe('types of expressions', () => {
  const names: Names = {
    input: INPUT,
    artifacts: new Map(),
    phases: new Map(),
    locals: new Map([
      ['index', COUNT],
      ['item', ROW],
    ]),
  }
  const row = fc.record({
    name: fc.constantFrom('', 'abc'),
    size: fc.integer({ min: 0, max: 2 }),
    price: fc.constantFrom(0.5, 2),
    ok: fc.boolean(),
  })
  const scope = fc.record({
    input: fc.record({
      rows: fc.array(row, { minLength: 3, maxLength: 3 }),
      tags: fc.constant(['abc', 'x', 'y']),
      n: fc.nat(2),
      any: fc.constantFrom(1, 'abc', null, ['x']),
    }),
    locals: fc.record({ index: fc.nat(2), item: row }),
  })
  const leaf = fc.constantFrom(
    'input.n',
    'index',
    'item.name',
    'item.size',
    'item.price',
    'item.ok',
    'input.tags',
    'input.rows[index].name',
    'input.any',
    '1',
    '0.5',
    '"abc"',
    'true',
    'input.rows',
  )
  // No && and ||, which pass over faults, and of conditions only such as have none in what they pass over.
  const { value } = fc.letrec<{ value: string }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      leaf,
      fc
        .tuple(tie('value'), fc.constantFrom('+', '-', '*', '<', 'in', '==', '!='), tie('value'))
        .map(([a, op, b]) => `(${a}) ${op} (${b})`),
      fc
        .tuple(fc.constantFrom('size', 'string', 'double', '!', '-'), tie('value'))
        .map(([f, a]) => `${f}(${a})`),
      fc.tuple(tie('value'), tie('value')).map(([a, b]) => `(${a}).map(x, (x) + (${b}))`),
      fc.tuple(tie('value'), leaf, leaf).map(([a, b, c]) => `[(${a}) ? (${b}) : (${c})]`),
      fc.tuple(fc.constantFrom('input.tags', 'input.rows'), tie('value')).map(([a, b]) => `${a}[${b}]`),
      fc.tuple(tie('value'), tie('value')).map(([a, b]) => `(${a}).substring(${b})`),
    ),
  }))

  const kindOf = (type: string | undefined) => (type === 'int' ? 'double' : type)

  it('refuse nothing that works', () => {
    fc.assert(
      fc.property(value, scope, (expression, { input, locals }) => {
        if ('error' in checkExpression(expression, ['index', 'item'])) return
        const errors = textErrors(`\${{ ${expression} }}`, ['x'], names)
        const full: Scope = { input, artifacts: {}, phases: {}, run: { id: 'r', attempt: 1 }, locals }
        if (errors.length === 0) return
        const [, left, right] = /overload: (\S+?)(?:<.*>)? [!=]= (\w+)/.exec(errors[0]?.message ?? '') ?? []
        // To compare what is never equal is a fault that no evaluation shows.
        if (left) expect(kindOf(left)).not.toBe(kindOf(right))
        else expect(() => evaluate(expression, full), JSON.stringify(errors)).toThrow()
      }),
      { numRuns: 1000 },
    )
  })
})
