import type { RunEvent } from '@devflow/contracts'
import { expect, test } from 'vitest'
import { en } from '../messages/en/index.ts'
import { progressLines } from './progress-lines.ts'

const event = (type: string, data: RunEvent['data'] = {}, phase = 'spec'): RunEvent => ({
  ...{ runId: '01a1fcf2-2a01-7f12-88ec-d2e58ece30cc', seq: 1, key: 'k', at: '2026-11-21T07:41:20.186Z' },
  ...{ type, data, phase },
})

test('tells what happens in calm lines, tool calls as a count, detail not at all', () => {
  const linesOf = progressLines(en)
  const events = [
    event('phase.started'),
    event('turn.started'),
    event('tool.called', { tool: 'read_file' }),
    event('tool.called', { tool: 'read_file' }),
    event('tool.called', { tool: 'complete' }),
    event('artifact.accepted', { name: 'spec' }),
    event('something.new'),
  ]
  expect(events.flatMap(linesOf)).toEqual([
    '07:41:20  spec        started',
    '07:41:20  spec        used read_file ×2, complete',
    '07:41:20  spec        made: spec',
  ])
})
