import type { Run, RunEvent } from '@devflow/contracts'
import { expect, test } from 'vitest'
import { en } from '../messages/en/index.ts'
import { widthOf } from '../terminal/fit.ts'
import { paletteOf } from '../terminal/palette.ts'
import { frameOf } from './frame.ts'
import { advance, progressOf } from './run-progress.ts'

const START = Date.parse('2026-11-21T07:41:20.000Z')
const RUN = '01a1fcf2-2a01-7f12-88ec-d2e58ece30cc'

/** A run of so many phases, advanced by events `[type, phase, data, turn]`, one a second. */
function progress(phases: number, events: [string, string?, RunEvent['data']?, number?][]) {
  const run = progressOf({
    ...{ id: RUN, template: 'many@1', budget: {}, createdAt: new Date(START).toISOString() },
    phases: Array.from({ length: phases }, (_, n) => ({ id: `p${n + 1}`, kind: 'agent', status: 'pending' })),
  } as unknown as Run)
  for (const [n, [type, phase, data = {}, turn]] of events.entries()) {
    const at = new Date(START + n * 1000).toISOString()
    advance(run, {
      ...{ runId: RUN, seq: n + 1, key: `k${n}`, attempt: 1, at },
      ...{ type, phase, data, turn },
    })
  }
  return run
}

const frame = (run: ReturnType<typeof progress>, width: number, rows: number) =>
  frameOf(run, {
    ...{ words: en, palette: paletteOf(process.stdout), tick: 0, now: START + 65_000 },
    size: { width, rows },
  })

const settled = (inputTokens: number, outputTokens: number, costMicroUsd: number) => ({
  ...{ inputTokens, outputTokens, costMicroUsd },
})

test('shows what each phase does, its turns, tokens and money, and the sum', () => {
  const run = progress(3, [
    ['run.started'],
    ['phase.started', 'p1', { persona: 'writer@1' }],
    ['turn.started', 'p1', {}, 1],
    ['call.settled', 'p1', settled(1_000, 200, 1_250.5)],
    ['turn.completed', 'p1', {}, 1],
    ['phase.completed', 'p1'],
    ['phase.started', 'p2', { persona: 'reviewer@1' }],
    ['turn.started', 'p2', {}, 1],
    ['call.settled', 'p2', settled(500, 50, 749.5)],
    ['turn.completed', 'p2', {}, 1],
    ['tool.called', 'p2', { name: 'read_file' }, 1],
  ])
  expect(frame(run, 80, 24)).toEqual([
    `many@1  ${RUN}                      running  1m 5s`,
    '',
    '✓ p1    writer@1, 1 turn                        1,200 tokens   $0.0012      4.0s',
    '⠋ p2    turn 1: uses read_file                    550 tokens   $0.0007       59s',
    '· p3    agent',
    '',
    '1,500 tokens in, 250 out · $0.0020 · Ctrl-C leaves; the run goes on',
  ])
})

test.each([40, 60, 80, 200])('fits %d columns', (width) => {
  const run = progress(2, [
    ['phase.started', 'p1', { persona: 'a-persona-with-a-very-long-name-indeed@1.2.3' }],
    ['call.settled', 'p1', settled(1_234_567, 1_234_567, 12_345_678)],
    ['phase.failed', 'p1', { error: { message: `It failed: ${'and so on '.repeat(20)}` } }],
  ])
  for (const line of frame(run, width, 24)) expect(widthOf(line)).toBeLessThanOrEqual(width)
})

test('of more phases than fit, those around the one under way are shown', () => {
  const done = Array.from({ length: 60 }, (_, n): [string, string] => ['phase.completed', `p${n + 1}`])
  const lines = frame(progress(100, [...done, ['phase.started', 'p61']]), 80, 24)
  expect(lines.length).toBeLessThanOrEqual(23)
  expect(lines).toContainEqual(expect.stringContaining('p61'))
  expect(lines).toContainEqual(expect.stringMatching(/… \d+ more/))
})

test('a phase that nobody told of before is added; unknown events change nothing', () => {
  const run = progress(1, [
    ['phase.started', 'each[3]', { kind: 'agent' }],
    ['something.new', 'p1', { a: 1 }],
  ])
  expect([...run.phases.keys()]).toEqual(['p1', 'each[3]'])
})

test('shows phases inside others behind them, moved in, and ends them with what they are in', () => {
  const inner = (id: string, kind = 'agent') => ({ id, kind, position: [] })
  const run = progress(2, [
    ['phase.started', 'p1', { kind: 'map', total: 3 }],
    ['phase.expanded', 'p1', { phases: [inner('both[0]', 'parallel'), inner('work[1]')] }],
    ['phase.started', 'both[0]', { kind: 'parallel' }],
    ['phase.expanded', 'both[0]', { phases: [inner('left[0]'), inner('right[0]')] }],
    ['phase.expanded', 'p1', { phases: [inner('work[2]')] }],
    ['phase.completed', 'left[0]'],
  ])
  const names = () =>
    frame(run, 60, 24)
      .slice(2, -2)
      .map((line) => line.replace(/ {2,}\S.*$/, ''))
  expect(
    frame(run, 60, 24)
      .slice(2, -2)
      .map((line) => line.slice(0, 14).trimEnd()),
  ).toEqual(['⠋ p1', '⠋   both[0]', '✓     left[0]', '·     right[0]', '·   work[1]', '·   work[2]', '· p2'])
  advance(run, {
    ...{ runId: RUN, seq: 9, key: 'k9', attempt: 1, at: new Date(START + 9_000).toISOString() },
    ...{ type: 'phase.failed', phase: 'p1', data: { closes: true, error: { message: 'no' } } },
  })
  expect(names().filter((line) => line.startsWith('–'))).toHaveLength(4)
})
