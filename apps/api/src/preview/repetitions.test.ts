import type { Phase } from '@devflow/contracts'
import { treeOf } from '@devflow/definition'
import { expect, test } from 'vitest'
import { repetitionsOf } from './repetitions.ts'

const cel = (expression: string) => `$\{{ ${expression} }}`
const agent = (id: string, more: object = {}): Phase => ({ id, agent: { role: 'r', prompt: 'x' }, ...more })

const PHASES: Phase[] = [
  agent('plain'),
  agent('maybe', { when: cel('input.sure') }),
  agent('again', { retry: { maxAttempts: 3 } }),
  { id: 'rounds', cycle: { max: 4, until: cel('iteration > 1'), phases: [agent('round')] } },
  { id: 'fixed', cycle: { max: 4, phases: [agent('turn')] } },
  { id: 'endless', cycle: { until: cel('false'), phases: [agent('go')] } },
  {
    id: 'each',
    retry: { maxAttempts: 2 },
    map: { over: cel('input.list'), phases: [agent('item', { retry: { maxAttempts: 3 } })] },
  },
  {
    id: 'written',
    map: { over: [1, 2], phases: [{ id: 'both', parallel: { branches: [[agent('left')]] } }] },
  },
  { id: 'later', map: { over: cel('phases.each.output'), phases: [agent('guess')] } },
  {
    id: 'a',
    cycle: {
      max: 1e6,
      phases: [
        {
          id: 'b',
          cycle: { max: 1e6, phases: [{ id: 'c', cycle: { max: 1e6, phases: [agent('often')] } }] },
        },
      ],
    },
  },
  { id: 'odd', map: { over: cel('input.text'), phases: [agent('none')] } },
]

test.each([
  ['plain', 1, 1, false],
  ['maybe', 0, 1, false],
  ['again', 1, 3, false],
  ['round', 1, 4, false],
  ['turn', 4, 4, false],
  ['go', 1, 100, false],
  ['item', 3, 18, false],
  ['left', 2, 2, false],
  ['guess', 0, 1, true],
  ['none', 0, 1, true],
  ['often', 1e18, Number.MAX_SAFE_INTEGER, false],
])('%s is run %d to %d times', (name, least, most, openEnded) => {
  const node = treeOf(PHASES).nodes.get(name)
  expect(node && repetitionsOf(node, { list: ['a', 'b', 'c'], text: 'abc' })).toEqual({
    least,
    most,
    openEnded,
  })
})
