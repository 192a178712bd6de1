import { type Command, CommanderError } from 'commander'
import { EXIT } from './exit-codes.ts'
import { outputOn } from './output/output.ts'
import { whenUnread } from './output/when-unread.ts'
import type { Circumstances, Telling } from './telling.ts'

/** Runs a command to the process's end. Commands set `process.exitCode`; failures are put in words for people. */
export async function endWith(program: Command, telling: Telling): Promise<never> {
  const output = outputOn(process.stdout, telling.words)
  const errors = outputOn(process.stderr, telling.words)
  // Where nobody can be told of a failure, the exit code still says it.
  errors.outlive()
  let begun: Command | undefined
  program.hook('preAction', (_, command) => {
    begun = command
    // A stack goes on, whoever reads what it says.
    if (command.name() === 'up') output.outlive()
    else whenUnread(output.leave)
  })
  const fail = async (error: unknown) => {
    process.exitCode = await exitCodeFor(error, { ...telling, begun })
  }
  // Help and the version end as failures do, and are output too.
  const work = program.parseAsync().catch(fail).then(output.flushed)
  const unread = output.over.then(() => {
    process.exitCode = EXIT.unread
  }, fail)
  await Promise.race([work, unread])
  await Promise.all([output.flushed(), errors.flushed()])
  // What a library has left open must not keep a finished command.
  process.exit()
}

async function exitCodeFor(error: unknown, circumstances: Circumstances): Promise<number> {
  // Commander has printed help, or the version: that says it all.
  if (error instanceof CommanderError && (error.exitCode === 0 || error.code === 'commander.help'))
    return error.exitCode === 0 ? EXIT.completed : EXIT.badUsage
  // Only here: what ends well has nothing to tell.
  const { tellFailure } = await import('./tell-failure.ts')
  return tellFailure(error, circumstances)
}
