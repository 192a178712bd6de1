import { expect, test } from 'vitest'
import type { Message } from '../../models/model.ts'
import { summaryMessage } from './cut.ts'
import { outlineOf } from './outline.ts'

const turn = (n: number): Message[] => [
  {
    role: 'assistant',
    content: `Turn ${n}.`,
    toolCalls: [{ id: `c${n}`, name: 'read_file', arguments: `{"path":"${n}.txt"}` }],
  },
  { role: 'tool', toolCallId: `c${n}`, name: 'read_file', content: `It holds ${n}.` },
]

test('an outline names what was said, called and answered', () => {
  expect(outlineOf([...turn(1), { role: 'user', content: 'Again.' }], 1_000)).toBe(
    [
      '- You said: Turn 1.',
      '- You called read_file {"path":"1.txt"}',
      '  It answered 11 characters: It holds 1.',
      '- You were told: Again.',
    ].join('\n'),
  )
})

test('of too much the end is kept, and never more than is allowed; a summary before it stays in short', () => {
  const many = Array.from({ length: 200 }, (_, index) => turn(index + 1)).flat()
  const cut = outlineOf([summaryMessage(9, 'All is well.'), ...many], 2_000)
  expect(cut.length).toBeLessThan(2_100)
  expect(cut).toContain('It holds 200.')
  expect(cut).not.toContain('It holds 1.')
  expect(outlineOf([summaryMessage(9, 'All is well.'), ...turn(10)], 2_000)).toContain('All is well.')
})
