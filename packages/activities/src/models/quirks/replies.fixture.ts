import { expect } from 'vitest'
import { calls, fails, HELLO, type Quirk, type QuirkRow, whole } from './quirk.fixture.ts'

const README = { name: 'read_file', arguments: '{"path":"README.md"}' }
const PACKAGE = { name: 'read_file', arguments: '{"path":"package.json"}' }
const NOTE = '{"title":"A note","size":1}'
const maybeBilled = { retryable: true, billed: 'unknown' }

/** Oddities of replies that come to their end: usage, tool calls, reasoning, content. */
export const REPLIES: QuirkRow[] = [
  [1, 'happy_text', async (q) => whole(q, await q.play('happy_text'))],
  [2, 'comments_between', async (q) => whole(q, await q.play('comments_between'))],
  [3, 'byte_torn', async (q) => whole(q, await q.play('byte_torn'))],
  [4, 'usage_empty_choices', async (q) => whole(q, await q.play('usage_empty_choices'))],
  [5, 'usage_null_finish', async (q) => whole(q, await q.play('usage_null_finish'))],
  [6, 'usage_every_chunk', async (q) => whole(q, await q.play('usage_every_chunk'))],
  [
    7,
    'usage_missing',
    async (q) => {
      expect(await q.play('usage_missing')).toMatchObject({ text: HELLO, usage: undefined })
      const billed = await q.billed()
      const look = () => q.adapter.lookup?.(q.fake.requests[0]?.id ?? '', new AbortController().signal)
      expect([await look(), await look()]).toEqual([undefined, undefined])
      expect(await look()).toMatchObject({ costMicroUsd: billed })
    },
  ],
  [
    8,
    'generation_never',
    async (q) => {
      expect((await q.play('generation_never')).usage).toBeUndefined()
      await q.billed()
      const look = () => q.adapter.lookup?.(q.fake.requests[0]?.id ?? '', new AbortController().signal)
      for (let n = 0; n < 5; n += 1) expect(await look()).toBeUndefined()
    },
  ],
  [9, 'tool_single_fragments', async (q) => calls(await q.play('tool_single_fragments'), README)],
  [10, 'tool_parallel_two', async (q) => calls(await q.play('tool_parallel_two'), README, PACKAGE)],
  [11, 'tool_interleaved', async (q) => calls(await q.play('tool_interleaved'), README, PACKAGE)],
  [12, 'tool_same_index', async (q) => calls(await q.play('tool_same_index'), README, PACKAGE)],
  [
    13,
    'tool_no_index_no_id',
    async (q) => {
      calls(await q.play('tool_no_index_no_id'), README, PACKAGE)
      calls(await q.play('tool_empty_id'), README, PACKAGE)
      calls(await q.play('tool_same_index_and_id'), README, { name: 'list_dir', arguments: '{"path":"."}' })
    },
  ],
  [
    14,
    'tool_args_empty',
    async (q) => {
      calls(await q.play('tool_args_empty'), { name: 'list_dir', arguments: '{}' })
      calls(await q.play('tool_args_missing'), { name: 'read_file', arguments: '{}' })
    },
  ],
  [
    15,
    'tool_args_object',
    async (q) => {
      const first = await q.play('tool_args_object')
      calls(first, README)
      await q.next(first)
      const said = q.fake.requests[1]?.body.messages[1]?.tool_calls?.[0]?.function
      expect(said).toEqual(README)
    },
  ],
  [
    16,
    'tool_args_scalar',
    async (q) => {
      calls(await q.play('tool_args_scalar'), { name: 'read_file', arguments: '"abc"' })
      const list = await q.play('tool_args_list')
      calls(list, { name: 'read_file', arguments: '[1]' })
      await q.next(list)
      // Providers refuse a history whose arguments are no object.
      expect(q.fake.requests[2]?.body.messages[1]?.tool_calls?.[0]?.function.arguments).toBe('{}')
    },
  ],
  [
    17,
    'tool_args_bad_json',
    async (q) => calls(await q.play('tool_args_bad_json'), { arguments: '{"path": "READ' }),
  ],
  [
    18,
    'tool_trunc_length',
    async (q) => expect((await q.play('tool_trunc_length')).done?.finish).toBe('length'),
  ],
  [
    19,
    'tool_trunc_mislabelled',
    async (q) => expect((await q.play('tool_trunc_mislabelled')).done?.finish).toBe('length'),
  ],
  [20, 'tool_trailing_ws', async (q) => calls(await q.play('tool_trailing_ws'), README)],
  [
    21,
    'tool_finish_stop',
    async (q) => {
      calls(await q.play('tool_finish_stop'), README)
      calls(await q.play('tool_finish_null'), README)
    },
  ],
  [
    22,
    'tool_in_text',
    async (q) => {
      for (const scenario of ['tool_in_text', 'tool_in_text_json'] as const)
        expect((await q.play(scenario)).done).toMatchObject({ finish: 'stop', toolCalls: [] })
    },
  ],
  [23, 'tool_unknown_name', async (q) => calls(await q.play('tool_unknown_name'), { name: 'launch_rocket' })],
  [
    24,
    'kimi_repeat_ids',
    async (q) => {
      const first = await q.play('kimi_repeat_ids')
      calls(first, { ...README, id: 'functions.read_file:0' })
      calls(await q.next(first), { ...README, id: 'functions.read_file:0' })
    },
  ],
  [
    25,
    'content_plus_tool',
    async (q) => {
      const first = await q.play('content_plus_tool')
      calls(first, README)
      await q.next(first)
      expect(q.fake.requests[1]?.body.messages[1]).toMatchObject({
        content: 'Let me look at the readme.',
        tool_calls: [{ function: README }],
      })
    },
  ],
  [26, 'claude_signature', async (q) => replayed(q, 'claude_signature', [SIGNED])],
  [27, 'gemini_encrypted', async (q) => replayed(q, 'gemini_encrypted', [ENCRYPTED])],
  [
    28,
    'deepseek_must_return',
    async (q) => {
      const first = await q.play({ reasoning: 'I look.', toolCalls: [{ ...README, id: 'call_1' }] })
      q.fake.script(({ messages }) =>
        messages[1]?.reasoning_details || messages[1]?.reasoning ? {} : { scenario: '400_upstream' },
      )
      expect((await q.next(first)).text).toBe(HELLO)
      // Without it the upstream's own words are told, not that there are some.
      const { error } = await q.next({ ...first, done: { ...first.done, reasoning: undefined } as never })
      expect(error?.message).toContain('reasoning_content must be passed back')
    },
  ],
  [
    29,
    'reasoning_only',
    async (q) =>
      expect(await q.play('reasoning_only')).toMatchObject({
        thinking: 'I have nothing to add.',
        done: { content: '', finish: 'stop' },
      }),
  ],
  [
    30,
    'reasoning_mirrored',
    async (q) =>
      expect(await q.play('reasoning_mirrored')).toMatchObject({
        thinking: 'I think it over.',
        text: 'Fine.',
      }),
  ],
  [
    31,
    'think_tags',
    async (q) =>
      expect(await q.play('think_tags')).toMatchObject({
        thinking: 'Is it <b>?',
        text: NOTE,
        done: { content: NOTE },
      }),
  ],
  [
    32,
    'json_fenced',
    async (q) => expect((await q.play('json_fenced')).text).toContain(`\`\`\`json\n${NOTE}\n\`\`\``),
  ],
  [
    33,
    'json_whitespace_run',
    async (q) => {
      const outcome = await q.play({ scenario: 'json_whitespace_run', chunkDelayMs: 2 })
      fails(outcome, 'provider_blank_output', maybeBilled)
      await q.fake.waitFor(([first]) => first?.abortedAt !== undefined)
    },
  ],
]

const SIGNED = {
  type: 'reasoning.text',
  text: 'Let me look. ',
  format: 'anthropic-claude-v1',
  index: 0,
  signature: 'EqQB/+é=',
}
const ENCRYPTED = {
  type: 'reasoning.encrypted',
  data: 'AbC+/=',
  id: 'tool_read_file_x1',
  format: 'google-gemini-v1',
  index: 0,
}

/** The next request is refused unless the reasoning comes back as it was, merged by its index. */
async function replayed(q: Quirk, scenario: 'claude_signature' | 'gemini_encrypted', details: object[]) {
  const first = await q.play(scenario)
  calls(first, README)
  q.fake.script(({ messages }) =>
    JSON.stringify(messages[1]?.reasoning_details) === JSON.stringify(details)
      ? {}
      : { scenario: '400_upstream' },
  )
  expect((await q.next(first)).text).toBe(HELLO)
}
