import { resolve } from 'node:path'
import type { Command } from 'commander'
import { DATA_FOLDER, invocationOf } from '../invocation.ts'
import type { Words } from '../messages/words.ts'
import type { StackDeps } from '../up/stack.ts'
import { collect, wholeIn } from './values.ts'

/** From here, whoever reads it later. */
const resolvePath = (path: string) => resolve(path)

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
export function addUp(program: Command, words: Words, deps?: StackDeps): void {
  const help = words.help.up
  const command = program.command('up').description(help.about)
  command
    .option('--port <port>', help.port, wholeIn(words, 0, 65_535), 8787)
    .option('--host <host>', help.host, '127.0.0.1')
    .option('--data <dir>', help.data, DATA_FOLDER)
    .option('--entries <dir>', help.entries, collect(resolvePath))
    .option('--workers <count>', help.workers, wholeIn(words, 1, 64), 1)
    .option('--workspace-root <dir>', help.workspaceRoot, collect(resolvePath))
    .option('--unsandboxed-commands', help.unsandboxedCommands)
    .option('--no-sample', help.noSample)
    .option('--once', help.once)
    .option('--approve', help.approve)
    .action(async (flags: Flags) => {
      const { json, config, token } = invocationOf(command)
      const { runUp } = await import('../up/run-up.ts')
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
    })
}
