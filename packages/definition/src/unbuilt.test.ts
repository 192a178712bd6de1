import { Phase } from '@devflow/contracts'
import { expect, test } from 'vitest'
import { unbuiltErrors } from './unbuilt.ts'

const cases: [object, string][] = [
  [{ gate: { title: 'x', onReject: { goto: 'y' } } }, 'p.gate.onReject.goto'],
  [{ gate: { title: 'x', allowChanges: 'y' } }, 'p.gate.allowChanges'],
  [{ gate: { title: 'x', notAuthors: true } }, 'p.gate.notAuthors'],
]
test.each(cases)('%j is refused as not built yet', (phase, path) => {
  expect(unbuiltErrors(Phase.parse({ id: 'x', ...phase }), 'p').map((error) => error.path)).toEqual([path])
})

test('what this build does is not refused', () => {
  const phases = [
    { wait: { signal: 'x' }, timeout: 'PT1S' },
    { gate: { title: 'x', onReject: 'end', notAuthors: false }, timeout: 'PT1S', retry: { maxAttempts: 2 } },
  ]
  for (const phase of phases) expect(unbuiltErrors(Phase.parse({ id: 'x', ...phase }), 'p')).toEqual([])
})
