import { argumentsText, callId, type Shape, type ToolDelta } from './frames.ts'
import type { FakeToolCall, PlainReply } from './reply.ts'

/** A named deviation: what the reply is unless the handler says it, how it is framed, how its bytes travel. */
export interface Scenario {
  reply?: PlainReply
  shape?: Partial<Shape>
  /** How the body leaves the socket. */
  wire?: {
    /** Each byte in a write of its own. */
    torn?: boolean
    close?: 'end' | 'reset' | 'linger' | 'comments_for_ever'
    /** A body sent as it is with 200 and JSON, instead of frames, after the blanks that keep it alive. */
    json?: unknown
    /** The same as text; empty: only the blanks. */
    text?: string
  }
}

const read = (path: string): FakeToolCall => ({ name: 'read_file', arguments: { path } })
const one = { toolCalls: [read('README.md')] } satisfies PlainReply
const two = { toolCalls: [read('README.md'), read('package.json')] } satisfies PlainReply

const whole = (index: number | undefined, id: string | undefined, call: FakeToolCall): ToolDelta => ({
  ...(index === undefined ? {} : { index }),
  ...(id === undefined ? {} : { id }),
  type: 'function',
  function: { name: call.name, arguments: argumentsText(call) },
})

const errorChunk = (error: Record<string, unknown>, choices: unknown[]) => ({ error, choices })
const finishError = [
  { index: 0, delta: { content: '' }, finish_reason: 'error', native_finish_reason: 'error' },
]
const unavailable = {
  code: 502,
  message: 'Upstream provider failed',
  metadata: { error_type: 'provider_unavailable' },
}

const signed = [
  { type: 'reasoning.text', text: 'Let me ', format: 'anthropic-claude-v1', index: 0 },
  { type: 'reasoning.text', text: 'look. ', format: 'anthropic-claude-v1', index: 0 },
  { type: 'reasoning.text', signature: 'EqQB/+é=', format: 'anthropic-claude-v1', index: 0 },
]

const SCENARIOS = {
  happy_text: {},
  comments_between: { shape: { commentsBetween: true } },
  byte_torn: { wire: { torn: true } },
  usage_empty_choices: { shape: { usage: 'empty_choices' } },
  usage_null_finish: { shape: { usage: 'null_finish' } },
  usage_every_chunk: { shape: { usage: 'every_chunk' } },
  usage_on_finish: { shape: { usage: 'on_finish' } },
  usage_missing: { reply: { generationMisses: 2 }, shape: { usage: 'none' } },
  generation_never: { reply: { generationMisses: Number.POSITIVE_INFINITY }, shape: { usage: 'none' } },
  tool_single_fragments: { reply: one },
  tool_parallel_two: { reply: two },
  tool_interleaved: {
    reply: two,
    shape: {
      toolDeltas: (calls, n) => {
        const halves = calls.map((call) => {
          const text = argumentsText(call)
          return [text.slice(0, text.length / 2), text.slice(text.length / 2)]
        })
        return [
          ...calls.map((call, index) => whole(index, callId(call, n, index), { ...call, arguments: '' })),
          ...[0, 1].flatMap((half) =>
            halves.map((parts, index) => ({ index, function: { arguments: parts[half] } })),
          ),
        ]
      },
    },
  },
  tool_same_index: {
    reply: two,
    shape: { toolDeltas: (calls, n) => calls.map((call, index) => whole(0, callId(call, n, index), call)) },
  },
  tool_no_index_no_id: {
    reply: two,
    shape: { toolDeltas: (calls) => calls.map((call) => whole(undefined, undefined, call)) },
  },
  tool_empty_id: {
    reply: two,
    shape: {
      toolDeltas: (calls) =>
        calls.flatMap((call, index) => [
          whole(index, '', { ...call, arguments: '' }),
          { index, id: '', function: { name: '', arguments: argumentsText(call) } },
        ]),
    },
  },
  /** The same index AND the same id for two calls of other tools. */
  tool_same_index_and_id: {
    reply: { toolCalls: [read('README.md'), { name: 'list_dir', arguments: { path: '.' } }] },
    shape: { toolDeltas: (calls) => calls.map((call) => whole(0, 'call_same', call)) },
  },
  tool_args_empty: { reply: { toolCalls: [{ name: 'list_dir', arguments: '' }] } },
  tool_args_missing: {
    reply: one,
    shape: {
      toolDeltas: (calls, n) =>
        calls.map((call, index) => ({ index, id: callId(call, n, index), function: { name: call.name } })),
    },
  },
  tool_args_object: {
    reply: one,
    shape: {
      toolDeltas: (calls, n) =>
        calls.map((call, index) => ({
          index,
          id: callId(call, n, index),
          function: { name: call.name, arguments: call.arguments },
        })),
    },
  },
  tool_args_scalar: { reply: { toolCalls: [{ name: 'read_file', arguments: '"abc"' }] } },
  tool_args_list: { reply: { toolCalls: [{ name: 'read_file', arguments: '[1]' }] } },
  tool_args_bad_json: { reply: { toolCalls: [{ name: 'read_file', arguments: '{"path": "READ' }] } },
  tool_trunc_length: {
    reply: { toolCalls: [{ name: 'read_file', arguments: '{"path": "READ' }], finish: 'length' },
  },
  tool_trunc_mislabelled: {
    reply: {
      toolCalls: [{ name: 'read_file', arguments: '{"path": "READ' }],
      finish: 'tool_calls',
      usage: { completionTokens: 1_000_000 },
    },
  },
  tool_trailing_ws: {
    reply: one,
    shape: {
      toolDeltas: (calls, n) =>
        calls.flatMap((call, index) => [
          whole(index, callId(call, n, index), call),
          { index, function: { arguments: ' ' } },
        ]),
    },
  },
  tool_finish_stop: { reply: { ...one, finish: 'stop' } },
  tool_finish_null: { reply: { ...one, finish: null } },
  tool_unknown_name: { reply: { toolCalls: [{ name: 'launch_rocket', arguments: {} }] } },
  kimi_repeat_ids: { reply: { toolCalls: [{ ...read('README.md'), id: 'functions.read_file:0' }] } },
  content_plus_tool: { reply: { ...one, content: 'Let me look at the readme.' } },
  claude_signature: { reply: { ...one, reasoningDetails: signed } },
  gemini_encrypted: {
    reply: {
      toolCalls: [{ ...read('README.md'), id: 'tool_read_file_x1' }],
      reasoningDetails: [
        {
          type: 'reasoning.encrypted',
          data: 'AbC+/=',
          id: 'tool_read_file_x1',
          format: 'google-gemini-v1',
          index: 0,
        },
      ],
    },
  },
  tool_in_text: {
    reply: {
      content:
        '<｜DSML｜function_calls><｜DSML｜invoke name="read_file"><｜DSML｜parameter name="path">README.md</｜DSML｜parameter></｜DSML｜invoke></｜DSML｜function_calls>',
    },
  },
  tool_in_text_json: { reply: { content: '{"name":"read_file","arguments":{"path":"README.md"}}' } },
  reasoning_mirrored: {
    reply: { content: 'Fine.', reasoning: 'I think it over.' },
    shape: { mirrored: true },
  },
  think_tags: {
    reply: {
      content: '<think>Is it <b>?</think>\n\n{"title":"A note","size":1}',
      chunks: ['<', 'thi', 'nk>', 'Is it ', '<b>?', '</th', 'ink', '>\n\n', '{"title":"A note","size":1}'],
    },
  },
  json_fenced: {
    reply: { content: 'Here it is:\n```json\n{"title":"A note","size":1}\n```\nI hope it helps.' },
  },
  json_whitespace_run: {
    reply: { content: `{"a":${' '.repeat(8_000)}`, chunks: 100, finish: 'length' },
  },
  reasoning_only: { reply: { content: '', reasoning: 'I have nothing to add.' } },
  empty_stop: { reply: { content: '', usage: { completionTokens: 0 } } },
  debug_first_chunk: { shape: { debugFirst: true } },
  err_first_event: {
    shape: { error: { after: 'nothing', chunk: errorChunk(unavailable, []), done: true } },
  },
  err_after_text: {
    shape: { error: { after: 'text', chunk: errorChunk(unavailable, finishError), done: true } },
  },
  err_with_usage: {
    shape: {
      error: {
        after: 'text',
        chunk: {
          ...errorChunk(unavailable, finishError),
          usage: { prompt_tokens: 10, completion_tokens: 3, cost: 0 },
        },
        done: true,
      },
    },
  },
  err_string_code: {
    shape: {
      error: {
        after: 'text',
        chunk: errorChunk({ code: 'server_error', message: 'Provider disconnected' }, finishError),
        done: false,
      },
    },
  },
  err_no_code: {
    shape: {
      error: {
        after: 'text',
        chunk: errorChunk({ message: 'The operation was aborted' }, []),
        done: false,
      },
    },
  },
  err_midstream_400: {
    shape: {
      error: {
        after: 'text',
        chunk: errorChunk({ code: 400, message: 'prompt is too long: 210000 tokens' }, finishError),
        done: true,
      },
    },
  },
  err_after_length: {
    reply: { finish: 'length', cost: '0.000004' },
    shape: {
      error: {
        after: 'finish',
        chunk: {
          ...errorChunk({ code: 400, message: 'max_tokens reached' }, []),
          usage: { prompt_tokens: 10, completion_tokens: 3, cost: 0.000004 },
        },
        done: true,
      },
    },
  },
  finish_error: { reply: { finish: 'error' } },
  eof_no_done_partial: { shape: { cut: 'mid_text' } },
  eof_no_done_complete: { shape: { cut: 'done' } },
  rst_mid_tool: { reply: one, shape: { cut: 'mid_tool' }, wire: { close: 'reset' } },
  rst_before_text: { shape: { cut: 'all_but_comments' }, wire: { close: 'reset' } },
  stall_comments: { shape: { cut: 'all_but_comments' }, wire: { close: 'comments_for_ever' } },
  linger_after_done: { wire: { close: 'linger' } },
  nonstream_ws: {
    wire: {
      json: {
        id: 'gen-x',
        model: 'deepseek/deepseek-chat-v3',
        choices: [{ message: { role: 'assistant', content: 'Whole.' }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 10, completion_tokens: 3, cost: 0.000004 },
      },
    },
  },
  nonstream_ws_only: { wire: { text: '' } },
  ok200_choices_null: {
    wire: { json: { id: 'gen-x', choices: null, error: { code: 429, message: 'Slow down' } } },
  },
  ok200_choices_empty: {
    wire: { json: { id: 'gen-x', choices: [], error: { code: 503, message: 'Full' } } },
  },
  ok200_error_body: {
    wire: { json: { id: 'gen-x', error: { code: 502, message: 'Upstream error from provider' } } },
  },
  choice_error: {
    wire: {
      json: {
        id: 'gen-x',
        choices: [
          {
            message: { role: 'assistant', content: 'partial' },
            finish_reason: 'error',
            error: { code: 429, message: 'Upstream rate limit' },
          },
        ],
      },
    },
  },
} satisfies Record<string, Scenario>

export type ScenarioName = keyof typeof SCENARIOS

export const scenarioOf = (name: ScenarioName): Scenario => SCENARIOS[name]
