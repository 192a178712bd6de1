import { exitCodeOfFailure } from './exit-codes.ts'
import { type Telling, tellFailure } from './tell-failure.ts'

/** Runs a command to the process's end. Commands set `process.exitCode`; failures are put in words for people. */
export async function endWith(command: () => Promise<unknown>, telling: Telling): Promise<never> {
  // A reader that goes away, as `| head` does, is no reason to end a stack.
  process.stdout.on('error', () => {})
  try {
    await command()
  } catch (error) {
    tellFailure(error, telling)
    process.exitCode = exitCodeOfFailure(error)
  }
  await Promise.all([process.stdout, process.stderr].map(flushed))
  // What a library has left open must not keep a finished command.
  process.exit()
}

/** Resolves when all that was written has been taken, however slowly, or when nobody is left to take it. */
const flushed = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => stream.write('', () => resolve()))
