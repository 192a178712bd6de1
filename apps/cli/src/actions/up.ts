import { resolve } from 'node:path'
import type { Command } from 'commander'
import { invocationOf } from '../invocation.ts'
import { runUp } from '../up/run-up.ts'
import type { StackDeps } from '../up/stack.ts'

interface Flags {
  port: number
  host: string
  data: string
  entries?: string[]
  workers: number
  workspaceRoot?: string[]
  unsandboxedCommands?: boolean
  sample: boolean
  once?: boolean
  approve?: boolean
}

/** `deps`: other parts than the real ones, for tests. */
export const starting =
  (deps?: StackDeps) =>
  async (flags: Flags, command: Command): Promise<void> => {
    const { json, words, config, token } = invocationOf(command)
    process.exitCode = await runUp(
      {
        host: flags.host,
        port: flags.port,
        portTold: command.getOptionValueSource('port') === 'cli',
        dataDir: resolve(flags.data),
        entries: flags.entries ?? [],
        workers: flags.workers,
        workspaceRoots: flags.workspaceRoot ?? [process.cwd()],
        unsandboxedCommands: flags.unsandboxedCommands ?? false,
        sample: flags.sample,
        once: flags.once ?? false,
        approve: flags.approve ?? false,
        json,
        words,
        cwd: process.cwd(),
        config,
        token,
      },
      deps,
    )
  }
