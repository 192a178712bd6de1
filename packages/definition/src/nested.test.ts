// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is what expressions look like
import type { ErrorDetail } from '@devflow/contracts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compile } from './compile.ts'
import { planOf } from './plan.ts'
import { refusal, TEMPLATE, withTemplate } from './registry.fixture.ts'
import { instanceId, type PhaseNode, positionIn, treeOf } from './tree.ts'

const nap = (id: string, more: object = {}) => ({ id, wait: { for: 'PT1S' }, ...more })
const ask = (id: string, prompt: string, more: object = {}) => ({
  id,
  agent: { role: 'writer', prompt, ...more },
})

const compiled = (phases: object[], ...more: unknown[]) =>
  compile(withTemplate({ phases }, ...more), { template: 't@1' })

function faults(phases: object[], ...more: unknown[]): ErrorDetail[] {
  const error = refusal(() => compiled(phases, ...more))
  expect([error.kind, error.code]).toEqual(['INVALID', 'invalid_template'])
  return error.errors ?? []
}

const map = (over: unknown, phases: object[], more: object = {}) => ({
  id: 'each',
  map: { over, phases, ...more },
})
const cycle = (phases: object[], more: object = { max: 3 }) => ({ id: 'loop', cycle: { phases, ...more } })
const parallel = (...branches: object[][]) => ({ id: 'both', parallel: { branches } })

describe('a template of phases inside phases', () => {
  it.each<[string, object[]]>([
    [
      'names of a map',
      [map('${{ input.list }}', [ask('a', '${{ item.x }} ${{ index }} ${{ file }}')], { as: 'file' })],
    ],
    [
      'names of a cycle',
      [
        cycle([ask('a', '${{ iteration }} ${{ last }}')], {
          until: '${{ last.text != "" && iteration > 2 }}',
        }),
      ],
    ],
    [
      'what is beside it in its item',
      [map([1], [nap('a'), nap('b', { when: '${{ phases.a.status == "completed" }}' })])],
    ],
    [
      'until what was made in the iteration',
      [cycle([TEMPLATE.phases[0] as object], { until: '${{ artifacts.spec.title == "x" }}' })],
    ],
    [
      'a branch that is over',
      [parallel([nap('a')], [nap('b')]), nap('c', { when: '${{ phases.a.status == "completed" }}' })],
    ],
    [
      'the latest of a cycle',
      [cycle([TEMPLATE.phases[0] as object]), ask('x', '${{ artifacts.spec.title }}', { inputs: ['spec'] })],
    ],
    ['the list of a map', [map([1], [nap('a')]), nap('b', { when: '${{ size(phases.each.output) > 0 }}' })]],
  ])('may speak of %s', (_, phases) => {
    expect(compiled(phases).hash).toHaveLength(64)
  })

  it.each<[string, object[], string, string]>([
    [
      'item outside a map',
      [cycle([ask('a', '${{ item }}')])],
      'phases[0].cycle.phases[0].agent.prompt',
      'inside map and cycle only',
    ],
    [
      'last in a map',
      [map([1], [ask('a', '${{ last }}')])],
      'phases[0].map.phases[0].agent.prompt',
      'Unknown variable: last',
    ],
    [
      'an item after its map',
      [map([1], [nap('a')]), nap('b', { when: '${{ index > 1 }}' })],
      'phases[1].when',
      'index',
    ],
    [
      'a phase of another branch',
      [parallel([nap('a')], [nap('b', { when: '${{ phases.a.status == "x" }}' })])],
      'phases[0].parallel.branches[1][0].when',
      'a is not an earlier phase',
    ],
    [
      'a phase of each item',
      [map([1], [nap('a')]), nap('b', { when: '${{ phases.a.status == "x" }}' })],
      'phases[1].when',
      'a runs inside each: see phases.each.output',
    ],
    [
      'an artifact of each item',
      [map([1], [TEMPLATE.phases[0] as object]), ask('x', 'x', { inputs: ['spec'] })],
      'phases[1].agent.inputs[0]',
      'made for each item of each',
    ],
    [
      'a list that is none',
      [map('${{ 1 + 1 }}', [nap('a')])],
      'phases[0].map.over',
      'has type int, expected list',
    ],
    ['a list that is text', [map('words', [nap('a')])], 'phases[0].map.over', 'expected an expression'],
    ['a name that is taken', [map([1], [nap('a')], { as: 'input' })], 'phases[0].map.as', 'cannot be a name'],
    [
      'a condition that is none',
      [cycle([nap('a')], { until: '${{ 1 + 1 }}' })],
      'phases[0].cycle.until',
      'expected bool',
    ],
    ['a cycle without an end', [cycle([nap('a')], {})], 'phases[0].cycle', 'needs until, max, or both'],
    [
      'an id twice',
      [nap('a'), parallel([nap('a')])],
      'phases[1].parallel.branches[0][0].id',
      'a is the id of phases[0]',
    ],
    [
      'an expression where none is',
      [parallel([nap('a', { title: '${{ input.n }}' })])],
      'phases[0].parallel.branches[0][0].title',
      'not evaluated here',
    ],
  ])('may not have %s', (_, phases, path, message) => {
    expect(faults(phases)).toEqual([{ path, message: expect.stringContaining(message) }])
  })

  it('is no more than eight levels deep', () => {
    const deep = (level: number): object =>
      level === 0 ? nap('end') : { id: `p${level}`, parallel: { branches: [[deep(level - 1)]] } }
    expect(compiled([deep(7)]).hash).toHaveLength(64)
    expect(faults([deep(8)])[0]?.message).toContain('levels deep')
  })

  it('is a tree in the plan: kinds and edges, no expressions', () => {
    const { definition } = compiled([
      map('${{ input.list }}', [parallel([nap('a')], [TEMPLATE.phases[0] as object])]),
    ])
    expect(planOf(definition).steps).toEqual([
      {
        id: 'each',
        kind: 'map',
        inside: [
          [
            {
              id: 'both',
              kind: 'parallel',
              inside: [[{ id: 'a', kind: 'wait' }], [{ id: 'write', kind: 'agent', persona: 'w@1' }]],
            },
          ],
        ],
      },
    ])
  })
})

describe('a template that starts another', () => {
  const child = (phases: object[] = [nap('a')], id = 'c@1') => ({ kind: 'template', id, phases })
  const start = (template: string) => ({ id: 'sub', workflow: { template } })

  it('holds its definition', () => {
    const { definition } = compiled([start('c')], child())
    expect(definition.children?.c).toMatchObject({ definition: { template: 'c@1' }, bindings: {} })
    expect(definition.children?.c?.hash).toBe(compile(withTemplate({}, child()), { template: 'c' }).hash)
  })

  it.each<[string, object[], unknown[], string]>([
    ['is not there', [start('c')], [], 'there is no template c'],
    ['is itself', [start('t')], [], 'starts itself: t@1 → t@1'],
    ['starts it in turn', [map([1], [start('c')])], [child([start('t')])], 'starts itself: t@1 → c@1 → t@1'],
    ['is wrong', [start('c')], [child([nap('a'), nap('a')])], 'c@1: phases[1].id: a is the id of phases[0]'],
  ])('is refused when that %s', (_, phases, more, message) => {
    expect(faults(phases, ...more)[0]?.message).toContain(message)
  })

  it('gives bindings to whom they concern', () => {
    const role = { roles: { author: { capabilities: ['spec'] } } }
    const more = { ...child([{ id: 'a', agent: { role: 'author', prompt: 'x' } }]), ...role }
    const registry = withTemplate({ phases: [start('c')] }, more)
    const { definition } = compile(registry, { template: 't', bindings: { author: 'off-w@1' } })
    expect(definition.children?.c?.bindings).toEqual({ author: 'off-w@1' })
    const error = refusal(() => compile(registry, { template: 't', bindings: { nobody: 'w@1' } }))
    expect(error.errors).toEqual([{ path: 'bindings.nobody', message: 'the template has no role nobody' }])
  })
})

describe('the id of a phase inside others', () => {
  it('says the item, the iteration, and what was run again', () => {
    const retry = { retry: { maxAttempts: 2 } }
    const { nodes } = treeOf(
      compiled([{ ...cycle([{ ...map([1], [nap('a')]), ...retry }]) }]).definition.phases,
    )
    const a = nodes.get('a') as PhaseNode
    expect(instanceId(a, [1, 1, 2, 1, 1, 0, 1])).toBe('a#2[0]')
    expect(instanceId(a, [1, 1, 2, 1, 2, 0, 1])).toBe('a#2#2[0]')
    expect(instanceId(nodes.get('each') as PhaseNode, [1, 1, 2, 1])).toBe('each#2')
  })

  it('is never that of another', () => {
    const retry = { retry: { maxAttempts: 3 } }
    const shapes = fc.constantFrom<'map' | 'cycle' | 'parallel'>('map', 'cycle', 'parallel')
    const levels = fc.array(fc.tuple(shapes, fc.boolean()), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(levels, fc.infiniteStream(fc.integer({ min: 1, max: 3 })), (shape, numbers) => {
        const phases = shape.reduce<object[]>(
          (inside, [kind, again], level) => {
            const own =
              kind === 'parallel'
                ? { branches: [inside] }
                : { phases: inside, ...(kind === 'map' ? { over: [1] } : { max: 3 }) }
            return [{ id: `p${level}`, [kind]: own, ...(again ? retry : {}) }]
          },
          [nap('x')],
        )
        const { nodes } = treeOf(compiled(phases).definition.phases)
        const x = nodes.get('x') as PhaseNode
        const ids = new Map<string, string>()
        for (let tries = 0; tries < 30; tries += 1) {
          let position: readonly number[] = [1]
          for (let node = x.parent, chain: PhaseNode[] = []; ; node = node.parent) {
            if (node) {
              chain.unshift(node)
              continue
            }
            for (const [at, outer] of chain.entries()) {
              const generation = outer.phase.retry ? numbers.next().value : 1
              const group = outer.kind === 'parallel' ? 0 : numbers.next().value
              position = positionIn(position, generation, group, chain[at + 1] ?? x)
            }
            break
          }
          const id = instanceId(x, position)
          const before = ids.get(id)
          expect(before === undefined || before === position.join()).toBe(true)
          ids.set(id, position.join())
        }
      }),
      { numRuns: 60 },
    )
  })
})
