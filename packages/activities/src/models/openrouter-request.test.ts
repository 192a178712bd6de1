import { expect, test } from 'vitest'
import type { Message, ModelRequest } from './model.ts'
import { openRouterBody } from './openrouter-request.ts'

const PROMPT: Message[] = [
  { role: 'system', content: 'You are a test.' },
  { role: 'user', content: 'Look around.' },
]
const turn = (n: number, result: string): Message[] => [
  { role: 'assistant', content: '', toolCalls: [{ id: `call-${n}`, name: 'look', arguments: '{}' }] },
  { role: 'tool', toolCallId: `call-${n}`, name: 'look', content: result },
]
const body = (
  name: string,
  messages: Message[],
  tools = [{ name: 'look', description: '', parameters: {} }],
) =>
  openRouterBody({
    model: { provider: 'openrouter', name },
    messages,
    tools,
    maxOutputTokens: 1,
    sessionId: 's',
  } as unknown as ModelRequest)

const MARK = ',"cache_control":{"type":"ephemeral"}'
const unmarked = (value: unknown) => JSON.stringify(value).replaceAll(MARK, '')
const marks = ({ messages }: ReturnType<typeof body>) =>
  messages.flatMap((message, index) => (JSON.stringify(message).includes(MARK) ? [index] : []))

test('Claude is shown what to keep: the system text, and the last two messages of ours', () => {
  const [first, second, third] = [0, 1, 2].map((turns) =>
    body(
      'anthropic/claude-sonnet-4.5',
      [...PROMPT, ...turn(1, 'a'), ...turn(2, 'b')].slice(0, 2 + 2 * turns),
    ),
  )
  if (!first || !second || !third) throw new Error('three requests were made')
  expect([first, second, third].map(marks)).toEqual([
    [0, 1],
    [0, 1, 3],
    [0, 3, 5],
  ])
  // From turn to turn only marks move: all else of the one before is the beginning of the next, byte for byte.
  expect(unmarked(second.messages).startsWith(unmarked(first.messages).slice(0, -1))).toBe(true)
  expect(unmarked(third.messages).startsWith(unmarked(second.messages).slice(0, -1))).toBe(true)
})

test('nothing is marked that is empty, that no turn follows, or that others keep by themselves', () => {
  expect(marks(body('anthropic/claude-sonnet-4.5', [...PROMPT, ...turn(1, ' ')]))).toEqual([0, 1])
  expect(marks(body('anthropic/claude-sonnet-4.5', PROMPT, []))).toEqual([])
  const plain = body('google/gemini-2.5-pro', [...PROMPT, ...turn(1, 'a')])
  expect(marks(plain)).toEqual([])
  expect(plain.messages[0]).toEqual(PROMPT[0])
})
