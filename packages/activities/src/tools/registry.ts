import { DevflowError, storableText } from '@devflow/contracts'
import { z } from 'zod'
import type { ToolCall, ToolSpec } from '../models/model.ts'
import { complete } from './complete.ts'
import { editFile } from './edit-file.ts'
import { listDir } from './list-dir.ts'
import { readFile } from './read-file.ts'
import { runCommand } from './run-command.ts'
import { searchFiles } from './search-files.ts'
import { Denied, denied, failed, Refused, type Tool, type ToolContext, type ToolResult } from './tool.ts'
import { writeFile } from './write-file.ts'

const TOOLS: ReadonlyMap<string, Tool> = new Map(
  [readFile, listDir, searchFiles, writeFile, editFile, runCommand, complete].map((tool) => [
    tool.spec.name,
    tool,
  ]),
)

/** Names of all tools this build has, sorted. */
const TOOL_NAMES: readonly string[] = [...TOOLS.keys()].sort()

/** Names among these of tools that this build has: a persona may name some that are still to come. */
export function builtTools(names: readonly string[]): string[] {
  return names.filter((name) => TOOLS.has(name))
}

/** What a tool may change; undefined: nothing. */
export const effectsOf = (name: string): Tool['effects'] => TOOLS.get(name)?.effects

/** The tools as offered to a model, in the order given, each once. Throws INVALID `unknown_tool`. */
export function toolSpecs(names: readonly string[]): ToolSpec[] {
  return [...new Set(names)].map((name) => {
    const tool = TOOLS.get(name)
    if (!tool)
      throw new DevflowError(
        'INVALID',
        'unknown_tool',
        `there is no tool ${name}; there are ${TOOL_NAMES.join(', ')}`,
      )
    return tool.spec
  })
}

/**
 * Runs a call as the model made it. Whatever is wrong with it is the result, in words the model can act on; only an
 * aborted signal and a fault of our own throw. `allowed` names the tools the model was offered; default: all.
 */
export async function runTool(
  call: Pick<ToolCall, 'name' | 'arguments'>,
  context: ToolContext & { allowed?: readonly string[] },
): Promise<ToolResult> {
  context.signal.throwIfAborted()
  const offered = context.allowed ?? TOOL_NAMES
  const tool = TOOLS.get(call.name)
  if (!tool || !offered.includes(call.name)) {
    const message = `there is no tool "${storableText(call.name)}"; there are ${offered.join(', ')}`
    return tool ? denied(message) : failed(message)
  }
  const args = argumentsOf(call.arguments, tool)
  if (!args.ok) return failed(storableText(args.message))
  const result = await tool
    .run(args.value, context)
    .catch((error: unknown) => resultOf(error, context.signal))
  return { ...result, content: storableText(result.content) }
}

type Arguments = { ok: true; value: unknown } | { ok: false; message: string }

function argumentsOf(text: string, tool: Tool): Arguments {
  const { name, parameters } = tool.spec
  const expected = `${name} takes a JSON object of this schema: ${JSON.stringify(parameters)}`
  let value: unknown
  try {
    value = JSON.parse(text.trim() === '' ? '{}' : text)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { ok: false, message: `the arguments are no valid JSON (${reason}). ${expected}` }
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { ok: false, message: `the arguments are no JSON object. ${expected}` }
  const parsed = tool.arguments.safeParse(value)
  return parsed.success
    ? { ok: true, value }
    : { ok: false, message: `the arguments are wrong: ${z.prettifyError(parsed.error)}\n${expected}` }
}

/** What the file system refuses is for the model to know; anything else is a fault of ours and thrown on. */
function resultOf(error: unknown, signal: AbortSignal): ToolResult {
  signal.throwIfAborted()
  if (error instanceof Denied) return denied(error.message)
  if (error instanceof Refused) return failed(error.message)
  if (error instanceof Error && 'syscall' in error && 'code' in error)
    return failed(`the file system refused it: ${String(error.code)}`)
  throw error
}
