import type { Command } from 'commander'
import { bashScript } from '../completion/bash.ts'
import { type CommandLine, commandLinesOf } from '../completion/command-lines.ts'
import { fishScript } from '../completion/fish.ts'
import type { Shell } from '../completion/shells.ts'
import { zshScript } from '../completion/zsh.ts'

const SCRIPTS: Record<Shell, (lines: readonly CommandLine[]) => string> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
}

/** Prints the script that completes the program's commands. */
export const completing = (program: Command) => (shell: Shell) => {
  process.stdout.write(SCRIPTS[shell](commandLinesOf(program)))
}
