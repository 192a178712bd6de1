import type { ErrorName } from './errors.ts'
import type { FakeReply } from './handler.ts'
import type { FakeRequest, FakeToolCall } from './reply.ts'
import type { ScenarioName } from './scenarios.ts'

/**
 * A deterministic agent, played from the messages alone, so that a request repeated after a crash is answered the
 * same. Its part stands in the first user message:
 * - `[turns=5]` five turns with a tool call each (default 2), then `complete`;
 * - `[[complete:{…}]]` the content it completes with (default `{}`);
 * - `[tool=list_dir {"path":"."}]` the call of each turn; default: `list_dir` of `.`, or the first tool there is;
 * - `[tool@3=read_file {"path":"a"}]` a call of the third turn, in place of that; may stand more than once;
 * - `[window=9000]` refuses conversations of more characters;
 * - a conversation that has become too long is summed up when that is asked for;
 * - `[chunks=20]`, `[chunkDelayMs=5]`, `[delayMs=100]` how each reply is streamed;
 * - `[scenario=byte_torn]` for every reply, `[scenario@3=err_after_text]` for the third turn's.
 */
export function playAgent(request: FakeRequest): FakeReply {
  const part = request.messages.find(({ role }) => role === 'user')?.content ?? ''
  const said = request.messages.filter(({ role }) => role === 'assistant')
  const turn = summarised(request) + said.length + 1
  const number = (name: string) => {
    const found = new RegExp(`\\[${name}=(\\d+)\\]`).exec(part)?.[1]
    return found === undefined ? undefined : Number(found)
  }
  const scenario = (new RegExp(`\\[scenario@${turn}=(\\w+)\\]`).exec(part) ??
    /\[scenario=(\w+)\]/.exec(part))?.[1] as ScenarioName | ErrorName | undefined
  const streamed: FakeReply = {
    delayMs: number('delayMs'),
    chunkDelayMs: number('chunkDelayMs'),
    chunks: number('chunks'),
    scenario,
  }
  if (JSON.stringify(request.messages).length > (number('window') ?? Number.POSITIVE_INFINITY))
    return { scenario: '400_context' }
  if (/has become too long/.test(request.messages.at(-1)?.content ?? ''))
    return { ...streamed, content: `All is well after turn ${turn - 1}.` }
  const calls = toolCalls(part, request.tools, turn)
  if (calls.length > 0 && turn <= (number('turns') ?? 2))
    return {
      ...streamed,
      content: `Turn ${turn}: I look at the next thing, and this text is long enough to be streamed in pieces.`,
      toolCalls: calls.map((call, index) => ({
        ...call,
        id: `call_turn_${turn}${index === 0 ? '' : `_${index + 1}`}`,
      })),
    }
  const content = completion(part)
  if (!request.tools.includes('complete'))
    return { ...streamed, content: typeof content === 'string' ? content : JSON.stringify(content) }
  return {
    ...streamed,
    content: `Turn ${turn}: I have seen enough and complete the work.`,
    toolCalls: [{ id: `call_turn_${turn}`, name: 'complete', arguments: { content } }],
  }
}

/** Turns that are gone from the conversation. */
function summarised({ messages }: FakeRequest): number {
  const last = messages.findLast(({ content }) => content?.startsWith('<summary turns="1-'))
  return Number(/^<summary turns="1-(\d+)"/.exec(last?.content ?? '')?.[1] ?? 0)
}

function toolCalls(part: string, tools: string[], turn: number): FakeToolCall[] {
  for (const mark of [`tool@${turn}`, 'tool']) {
    const named = [...part.matchAll(new RegExp(`\\[${mark}=(\\w+) (\\{.*?\\})\\]`, 'g'))]
    if (named.length > 0) return named.map(([, name = '', args = '']) => ({ name, arguments: args }))
  }
  const name = tools.includes('list_dir') ? 'list_dir' : tools.find((tool) => tool !== 'complete')
  return name === undefined ? [] : [{ name, arguments: { path: '.' } }]
}

/** The JSON after `[[complete:`, up to the first `]]` that makes it whole: arrays in it may end in `]]` too. */
function completion(part: string): unknown {
  const mark = '[[complete:'
  const start = part.indexOf(mark)
  if (start === -1) return {}
  const from = start + mark.length
  for (let end = part.indexOf(']]', from); end !== -1; end = part.indexOf(']]', end + 1)) {
    const value = parsed(part.slice(from, end))
    if (value !== undefined) return value
  }
  throw new Error('[[complete:…]] holds no JSON')
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
