import type {
  ContentBlockParam,
  MessageCreateParamsStreaming,
  MessageParam,
  TextBlockParam,
  Tool,
} from '@anthropic-ai/sdk/resources/messages'
import type { Message, ModelRequest } from '../model.ts'
import { objectText } from '../object-text.ts'
import { replayed } from './thinking.ts'

type Assistant = Extract<Message, { role: 'assistant' }>

/** The API's newest version knows no temperature: a persona that names one is served by the version before. */
type Body = MessageCreateParamsStreaming & { temperature?: number }
const WITH_TEMPERATURE = '2023-06-01'

/** Headers of a request that differ from the package's own. */
export const anthropicHeaders = ({ model }: ModelRequest): Record<string, string> =>
  model.temperature === undefined ? {} : { 'anthropic-version': WITH_TEMPERATURE }

const CACHED = { type: 'ephemeral' } as const

/** The API refuses a message without any text or call. */
const NOTHING = '(no answer)'

/**
 * The body of one request. What stays the same from turn to turn comes first, tools, then system, then the
 * conversation, and is marked for the cache: at the end of the system text, and at the last two messages of ours, so
 * that each turn reads what the one before it wrote. A request without tools has no turn after it, and pays for none.
 */
export function anthropicBody(request: ModelRequest): Body {
  const { model, tools } = request
  const system = systemOf(request.messages)
  const messages = conversation(request.messages, model.name)
  const offered = tools.map(
    ({ name, description, parameters }): Tool => ({
      name,
      description,
      input_schema: { ...parameters, type: 'object' },
    }),
  )
  if (tools.length > 0) {
    markLast(system.length > 0 ? system : offered)
    for (const message of messages.filter(({ role }) => role === 'user').slice(-2))
      if (typeof message.content !== 'string') markLast(message.content)
  }
  return {
    model: model.name,
    max_tokens: request.maxOutputTokens,
    stream: true,
    messages,
    ...(system.length > 0 ? { system } : {}),
    ...(offered.length > 0 ? { tools: offered } : {}),
    ...(model.temperature === undefined ? {} : { temperature: model.temperature }),
  }
}

const systemOf = (messages: readonly Message[]): TextBlockParam[] =>
  messages.flatMap(({ role, content }) => (role === 'system' ? textBlock(content) : []))

const textBlock = (text: string): TextBlockParam[] => (text.trim() === '' ? [] : [{ type: 'text', text }])

/** Results and what is said with them make one message, as roles have to alternate and each call its answer there. */
function conversation(messages: readonly Message[], model: string): MessageParam[] {
  const all: { role: 'user' | 'assistant'; content: ContentBlockParam[] }[] = []
  for (const message of messages) {
    if (message.role === 'system') continue
    const role = message.role === 'assistant' ? 'assistant' : 'user'
    const content = blocksOf(message, model)
    const last = all.at(-1)
    if (last?.role === role) last.content.push(...content)
    else all.push({ role, content })
  }
  for (const { content } of all)
    if (!content.some(({ type }) => type !== 'thinking' && type !== 'redacted_thinking'))
      content.push({ type: 'text', text: NOTHING })
  return all
}

function blocksOf(message: Message, model: string): ContentBlockParam[] {
  switch (message.role) {
    case 'tool':
      return [{ type: 'tool_result', tool_use_id: idOf(message.toolCallId), content: message.content }]
    case 'assistant':
      return said(message, model)
    default:
      return textBlock(message.content)
  }
}

/** The blocks of an answer in the order they came: thinking is checked where it stands. */
function said({ content, toolCalls, reasoning }: Assistant, model: string): ContentBlockParam[] {
  const calls = toolCalls.map(({ id, name, arguments: text }) => ({
    type: 'tool_use' as const,
    id: idOf(id),
    name,
    input: objectOf(text),
  }))
  return replayed(reasoning, model, content, textBlock, calls)
}

/** Ids that another provider gave may hold what this one refuses. */
const idOf = (id: string): string => id.replaceAll(/[^a-zA-Z0-9_-]/g, '_')

const objectOf = (written: string): Record<string, unknown> =>
  JSON.parse(objectText(written)) as Record<string, unknown>

function markLast(blocks: (ContentBlockParam | Tool)[]): void {
  const last = blocks.at(-1)
  if (last && 'type' in last && (last.type === 'thinking' || last.type === 'redacted_thinking')) return
  if (last) (last as { cache_control?: typeof CACHED }).cache_control = CACHED
}
