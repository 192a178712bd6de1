import type { PhaseProgress, Progress } from '@devflow/db'
import { expect, test } from 'vitest'
import { Stop } from './session/stop.ts'
import { timeoutTimer } from './time-left.ts'

/** A timer for a phase that began two days ago. */
const timerFor = (timeout: string) => {
  const now = new Date('2026-03-03T00:00:00Z')
  const at = { startedAt: new Date('2026-03-01T00:00:00Z') } as PhaseProgress
  const phase = { id: 'p', agent: { role: 'r', prompt: 'x' }, timeout }
  return timeoutTimer({ node: { phase }, at, progress: { now } as Progress }, new Stop())
}

test('a phase that may take longer than a timer can last is not ended when the timer would be', () => {
  const timer = timerFor('P3D')
  clearTimeout(timer)
  expect(timer).toBeDefined()
  expect(timerFor('P27D')).toBeUndefined()
})
