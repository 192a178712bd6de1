import { z } from 'zod'
import type { CommandResult } from '../sandbox/index.ts'
import { commandAllowed } from './command-allowed.ts'
import { refused, type ToolResult, tool } from './tool.ts'

const MOST_ARGUMENTS = 1_000

const Argv = z
  .array(z.string().refine((text) => !text.includes('\0'), { error: 'an argument holds a NUL character' }))
  .min(1)
  .max(MOST_ARGUMENTS)

/** Answers with how it ended, then what it wrote: standard output first, then standard error. */
export const runCommand = tool({
  spec: {
    name: 'run_command',
    description:
      'Runs a program in the workspace, without a shell: argv holds the program and its arguments, so pipes, globs and redirections do not work. Only some commands are allowed. There is no network, and nothing but the workspace and /tmp can be written; /tmp is empty each time.',
    parameters: {
      type: 'object',
      required: ['argv'],
      properties: {
        argv: {
          type: 'array',
          items: { type: 'string' },
          minItems: 1,
          description: 'The program and its arguments, such as ["git", "diff"]',
        },
      },
    },
  },
  effects: 'external',
  arguments: z.object({ argv: Argv }),
  async run({ argv }, { root, signal, commands = [], sandbox, starting }) {
    if (!commandAllowed(argv, commands)) {
      const allowed = commands.length > 0 ? `allowed are: ${commands.join(', ')}` : 'no command is allowed'
      return refused('command_not_allowed', `this command is not allowed; ${allowed}`)
    }
    if (!sandbox || sandbox.confinement.kind === 'unavailable') {
      const reason = sandbox?.confinement.kind === 'unavailable' ? `: ${sandbox.confinement.reason}` : ''
      return refused('sandbox_unavailable', `commands cannot be run here, for lack of a sandbox${reason}`)
    }
    await starting?.(sandbox.confinement.kind === 'unsandboxed' ? { unsandboxed: true } : {})
    return resultOf(await sandbox.run({ argv, root, signal }), sandbox.limits.timeoutMs)
  },
})

function resultOf({ end, stdout, stderr, durationMs }: CommandResult, timeoutMs: number): ToolResult {
  const head = headLine(end, durationMs, timeoutMs)
  const parts = [head, section('standard output', stdout.text()), section('standard error', stderr.text())]
  return {
    ok: end.by === 'exit' && end.exitCode === 0,
    content: parts.filter(Boolean).join('\n'),
    bytes: stdout.bytes + stderr.bytes,
    ...(end.by === 'exit' ? { exitCode: end.exitCode } : {}),
    ...(end.by === 'limit' ? { code: LIMITS[end.limit].code } : {}),
  }
}

const LIMITS = {
  time: { code: 'command_timeout', words: 'it took too long' },
  output: { code: 'command_output_limit', words: 'it wrote too much output' },
  memory: { code: 'command_memory_limit', words: 'it used too much memory' },
  disk: { code: 'command_disk_limit', words: 'it filled the disk' },
} as const

function headLine(end: CommandResult['end'], durationMs: number, timeoutMs: number): string {
  const took = `after ${(durationMs / 1000).toFixed(1)} s`
  if (end.by === 'exit') return `exit code ${end.exitCode} ${took}`
  if (end.by === 'signal') return `ended by ${end.signal} ${took}`
  const limit = end.limit === 'time' ? ` (the limit is ${timeoutMs / 1000} s)` : ''
  return `killed ${took} with all its processes: ${LIMITS[end.limit].words}${limit}`
}

const section = (title: string, text: string): string => (text === '' ? '' : `--- ${title}\n${text}`)
