import type { z } from 'zod'
import type { ToolSpec } from '../models/model.ts'
import type { Sandbox } from '../sandbox/index.ts'

export interface ToolContext {
  /** The workspace: no tool sees anything outside. */
  root: string
  signal: AbortSignal
  /** What `run_command` may run, by argv prefix; default: nothing. */
  commands?: readonly string[]
  /** Where commands run; without one they are denied. */
  sandbox?: Sandbox | undefined
  /** To be awaited right before an `external` effect begins: then it is on record that it did. */
  starting?: (facts?: Record<string, unknown>) => Promise<void>
}

/** What goes back to the model. A failure is told to it, not thrown: it can mend its call. */
export interface ToolResult {
  ok: boolean
  /** Refused by a rule, whatever the arguments would have done. */
  denied?: boolean
  content: string
  /** Why it was denied or cut short, for programs to read, such as `sandbox_unavailable`. */
  code?: string
  /** Of a command that ended by itself. */
  exitCode?: number
  /** What it gave out, where that is more than `content` holds. */
  bytes?: number
  /** Files it wrote, as paths from the root of the workspace: they are kept, also where the repository ignores them. */
  wrote?: string[]
}

export interface Tool<A = unknown> {
  spec: ToolSpec
  /**
   * What it may change, if anything. `workspace`: files of the workspace and nothing else, so that a call whose effect was
   * lost is run again on the files as they were. `external`: more than that; a call that may have been run is never
   * repeated (I3).
   */
  effects?: 'workspace' | 'external'
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
/** Denied for a reason that has a name. */
export const refused = (code: string, content: string): ToolResult => ({ ...denied(content), code })

/** Thrown inside a tool, caught by `runTool`: a path or call that a rule refuses. */
export class Denied extends Error {
  override readonly name = 'Denied'
}

/** Thrown inside a tool, caught by `runTool`: something the model can mend. */
export class Refused extends Error {
  override readonly name = 'Refused'
}
