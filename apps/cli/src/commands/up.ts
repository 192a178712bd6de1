import { resolve } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { readConfig } from '../config.ts'
import { runUp } from '../up/run-up.ts'
import type { StackDeps } from '../up/stack.ts'

const inRange = (from: number, to: number) => (text: string) => {
  const value = Number(text)
  if (!Number.isInteger(value) || value < from || value > to) {
    throw new InvalidArgumentError(`expected a whole number from ${from} to ${to}`)
  }
  return value
}

const collect = (value: string, before: string[] = []) => [...before, resolve(value)]

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
  json?: boolean
}

/** `deps`: other parts than the real ones, for tests. */
export function addUp(program: Command, deps?: StackDeps): void {
  const command = program.command('up').description('start Postgres, Temporal, workers and the API')
  command
    .option('--port <port>', 'where the API listens; 0 picks a free port', inRange(0, 65_535), 8787)
    .option('--host <host>', 'the address it listens on', '127.0.0.1')
    .option('--data <dir>', 'the folder that holds all state', '.devflow')
    .option('--entries <dir>', 'load the entries of a folder too; may be repeated', collect)
    .option('--workers <count>', 'worker processes', inRange(1, 64), 1)
    .option('--workspace-root <dir>', 'where repositories named by runs may lie; may be repeated', collect)
    .option('--unsandboxed-commands', 'allow run_command where bubblewrap is missing')
    .option('--no-sample', 'do not submit the sample run on an empty database')
    .option('--once', 'submit the sample, follow it, print its report, stop')
    .option('--approve', 'with --once: approve its gates')
    .option('--json', 'one JSON object a line instead of prose')
    .action(async (flags: Flags) => {
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
          json: flags.json ?? false,
          cwd: process.cwd(),
          config: readConfig(process.env),
        },
        deps,
      )
    })
}
