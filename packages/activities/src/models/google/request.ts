import type { Content, GenerateContentParameters, Part } from '@google/genai'
import type { Message, ModelRequest } from '../model.ts'
import { objectText } from '../object-text.ts'
import { resultsInOrder } from '../results-in-order.ts'
import { isMadeUp } from '../tool-call-merge.ts'
import type { Wire } from '../wire.ts'
import { replayed, textPart } from './signatures.ts'

type Answer = Extract<Message, { role: 'assistant' }>

/** The API refuses a content without parts. */
const NOTHING = '(no answer)'

/** Models that think, and show it when they are asked. */
const THINKS = /^gemini-(?:2\.5|[3-9]|\d\d)/

/** One request. What the API caches it caches by itself: the prefix stays the same from turn to turn. */
export function googleParameters(
  request: ModelRequest,
  signal: AbortSignal,
  wire: Wire,
): GenerateContentParameters {
  const { model, tools } = request
  const system = request.messages.flatMap(({ role, content }) => (role === 'system' ? textPart(content) : []))
  return {
    model: model.name,
    contents: conversation(request.messages, model.name),
    config: {
      abortSignal: signal,
      httpOptions: { fetch: (url, init) => fetch(url, { ...init, dispatcher: wire.dispatcher }) },
      // The package would send the request anew by itself after a break.
      automaticContinuation: false,
      automaticFunctionCalling: { disable: true },
      maxOutputTokens: request.maxOutputTokens,
      ...(model.temperature === undefined ? {} : { temperature: model.temperature }),
      ...(THINKS.test(model.name) ? { thinkingConfig: { includeThoughts: true } } : {}),
      ...(system.length > 0 ? { systemInstruction: { parts: system } } : {}),
      ...(tools.length > 0
        ? {
            tools: [
              {
                functionDeclarations: tools.map(({ name, description, parameters }) => ({
                  name,
                  description,
                  parametersJsonSchema: parameters,
                })),
              },
            ],
          }
        : {}),
    },
  }
}

function conversation(messages: readonly Message[], model: string): Content[] {
  const all: { role: 'user' | 'model'; parts: Part[] }[] = []
  for (const message of resultsInOrder(messages)) {
    if (message.role === 'system') continue
    const role = message.role === 'assistant' ? 'model' : 'user'
    const parts = partsOf(message, model)
    const last = all.at(-1)
    if (last?.role === role) last.parts.push(...parts)
    else all.push({ role, parts })
  }
  for (const { parts } of all) if (parts.length === 0) parts.push({ text: NOTHING })
  return all
}

function partsOf(message: Message, model: string): Part[] {
  if (message.role === 'assistant') return said(message, model)
  if (message.role !== 'tool') return textPart(message.content)
  const { toolCallId, name, content } = message
  return [{ functionResponse: { ...idOf(toolCallId), name, response: { output: content } } }]
}

function said({ content, toolCalls, reasoning }: Answer, model: string): Part[] {
  const calls = toolCalls.map(
    ({ id, name, arguments: text }): Part => ({
      functionCall: { ...idOf(id), name, args: objectOf(text) },
    }),
  )
  return replayed(reasoning, model, content, calls)
}

/** The API matches ids it gave; of those we had to make up it knows nothing. */
const idOf = (id: string): { id?: string } => (isMadeUp(id) ? {} : { id })

const objectOf = (written: string): Record<string, unknown> =>
  JSON.parse(objectText(written)) as Record<string, unknown>
