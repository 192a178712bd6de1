import type { Command } from 'commander'
import { commandLinesOf } from '../completion/command-lines.ts'
import { EXIT } from '../exit-codes.ts'
import { type Invocation, invocationOf } from '../invocation.ts'
import type { Words } from '../messages/words.ts'
import { tellFailure } from '../tell-failure.ts'
import { DEVFLOW_VERSION } from '../version.ts'
import { askLines } from './ask-lines.ts'
import { completions } from './completions.ts'
import { historyFile, historyIn } from './history.ts'
import { type Order, orderOf } from './order.ts'
import { runLine } from './run-line.ts'

/** Makes of the program without a command a prompt at which commands are typed, with the options that it was given. */
export function addPrompt(program: Command): void {
  const commands = commandLinesOf(program)
  program.action(async () => {
    const invocation = invocationOf(program)
    const { words, screen } = invocation
    const history = historyIn(historyFile())
    const run = runner(invocation)
    const asking = {
      prompt: `${screen.palette.accent('devflow>')} `,
      history: history.lines,
      complete: (typed: string) => completions(typed, commands),
    }
    screen.print(words.repl.greeting(DEVFLOW_VERSION))
    let begun = ''
    for (;;) {
      const typed = await askLines({ ...asking, begun })
      // The prompt stands there without a line's end.
      if (!typed) return screen.print('')
      begun = typed.rest
      for (const line of typed.lines.map((each) => each.trim()).filter((each) => each !== '')) {
        const order = await orderIn(line, words)
        if (order?.do === 'leave') return
        history.add(line)
        if (order?.do !== 'run' || (await run(order.args))) continue
        process.exitCode = EXIT.interrupted
        return
      }
    }
  })
}

/** What a line asks for; undefined where that was refused, and told. */
async function orderIn(line: string, words: Words): Promise<Order | undefined> {
  try {
    return orderOf(line, words)
  } catch (error) {
    await tellFailure(error, { words, json: false, tellsOrigins: false })
    return undefined
  }
}

/** Runs lines with the options that the prompt was given; those of the line come over them. */
function runner({ config, language, token, isToldUrl, url }: Invocation) {
  const shared = isToldUrl ? ['--url', url] : []
  // Not among its words: those everybody on this machine can read.
  const secret = token === undefined ? {} : { DEVFLOW_TOKEN: token }
  const env = { ...config.env, ...secret, DEVFLOW_LANG: language }
  return (args: readonly string[]) => runLine([...shared, ...args], env)
}
