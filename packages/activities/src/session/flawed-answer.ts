import type { ToolSpec } from '../models/model.ts'
import { jsonIn } from './json-in.ts'
import type { TurnData } from './transcript.ts'

/** Why an answer without tool calls cannot count, though it holds text. */
export interface Flaw {
  /** Goes on record. */
  why: string
  /** Said to the model. */
  ask: string
}

/** How models write calls when they do not make them, at the beginning of a line. */
const MARKUP =
  /^\s*(?:<｜DSML｜|<｜tool▁calls?▁begin｜>|<\|tool_calls?_(?:section_)?begin\|>|<\|python_tag\|>|<tool_call>|<function_calls>|<function=|\[TOOL_CALLS\])/m

/**
 * An answer that looks whole and is not: cut off, or a tool call written as text, which is never run: whoever's words
 * stand in the text could ask for it.
 */
export function flawOf(
  { content, toolCalls, finish }: TurnData,
  tools: readonly ToolSpec[],
  wantsJson: boolean,
): Flaw | undefined {
  if (toolCalls.length > 0 || content.trim() === '') return undefined
  if (finish === 'content_filter')
    return {
      why: 'The provider’s content filter cut the answer off.',
      ask: 'Your answer was cut off by a content filter. Answer the task in other words.',
    }
  if (finish === 'length' && (!wantsJson || 'unreadable' in jsonIn(content)))
    return {
      why: 'The answer was cut off at the token limit.',
      ask: 'Your answer was cut off at the token limit. Answer again, shorter.',
    }
  const tool = toolIn(content, tools)
  if (tool === undefined) return undefined
  return {
    why: `The answer is a call of ${tool} written as text.`,
    ask: `You wrote a call of \`${tool}\` as text, and it was not run. Make the call itself, or answer the task.`,
  }
}

/** The tool that a text tries to call. */
function toolIn(content: string, tools: readonly ToolSpec[]): string | undefined {
  const from = MARKUP.exec(content)?.index
  if (from !== undefined) return tools.find(({ name }) => content.includes(name, from))?.name
  const read = jsonIn(content)
  if (!('content' in read) || !isRecord(read.content)) return undefined
  const { name, tool, function: called, arguments: args, parameters, input } = read.content
  const named = [name, tool, called, isRecord(called) ? called.name : undefined]
  const given = args ?? parameters ?? input ?? (isRecord(called) ? called.arguments : undefined)
  return given === undefined ? undefined : tools.find((each) => named.includes(each.name))?.name
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
