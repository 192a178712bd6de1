import type { z } from 'zod'
import type { ToolSpec } from '../models/model.ts'

export interface ToolContext {
  /** The workspace: no tool sees anything outside. */
  root: string
  signal: AbortSignal
}

/** What goes back to the model. A failure is told to it, not thrown: it can mend its call. */
export interface ToolResult {
  ok: boolean
  /** Refused by a rule, whatever the arguments would have done. */
  denied?: boolean
  content: string
}

export interface Tool<A = unknown> {
  spec: ToolSpec
  arguments: z.ZodType<A>
  run(args: A, context: ToolContext): Promise<ToolResult>
}

/** Keeps a tool's own argument type while it is written, and forgets it in the registry. */
export function tool<A>(given: Tool<A>): Tool {
  return { ...given, run: (args, context) => given.run(given.arguments.parse(args), context) }
}

export const told = (content: string): ToolResult => ({ ok: true, content })
export const failed = (content: string): ToolResult => ({ ok: false, content })
export const denied = (content: string): ToolResult => ({ ok: false, denied: true, content })

/** Thrown inside a tool, caught by `runTool`: a path or call that a rule refuses. */
export class Denied extends Error {
  override readonly name = 'Denied'
}

/** Thrown inside a tool, caught by `runTool`: something the model can mend. */
export class Refused extends Error {
  override readonly name = 'Refused'
}
