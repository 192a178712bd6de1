import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { Words } from '../messages/words.ts'
import { DATA_FOLDER } from '../up/data-folder.ts'
import type { StackDeps } from '../up/stack.ts'
import { onDemand } from './on-demand.ts'
import { collect, wholeIn } from './values.ts'

/** From here, whoever reads it later. */
const resolvePath = (path: string) => resolve(path)

/** `deps`: other parts than the real ones, for tests. */
export function addUp(program: Command, words: Words, deps?: StackDeps): void {
  const help = words.help.up
  program
    .command('up')
    .description(help.about)
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
    .action(onDemand(async () => (await import('../actions/up.ts')).starting(deps)))
}
