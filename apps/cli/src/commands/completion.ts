import { Argument, type Command } from 'commander'
import { bashScript } from '../completion/bash.ts'
import { type CommandLine, commandLinesOf } from '../completion/command-lines.ts'
import { fishScript } from '../completion/fish.ts'
import { zshScript } from '../completion/zsh.ts'
import type { Words } from '../messages/words.ts'

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } satisfies Record<
  string,
  (lines: readonly CommandLine[]) => string
>
type Shell = keyof typeof SCRIPTS

export function addCompletion(program: Command, words: Words): void {
  const shells = Object.keys(SCRIPTS)
  program
    .command('completion')
    .description(words.help.completion)
    .addArgument(new Argument('<shell>', words.help.arguments.shell).choices(shells))
    .action((shell: Shell) => {
      process.stdout.write(SCRIPTS[shell](commandLinesOf(program)))
    })
}
