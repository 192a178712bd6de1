import type { Command, Option } from 'commander'

export interface Flag {
  /** `--json`. */
  name: string
  about: string
  /** What follows it. */
  value?: 'file' | 'folder' | 'text'
  choices: readonly string[]
}

/** A command as it is typed, and what may come after it. */
export interface CommandLine {
  /** Words after the program's name, none for the program itself. */
  path: readonly string[]
  about: string
  subcommands: { name: string; about: string }[]
  flags: Flag[]
  /** Names of its arguments. */
  arguments: readonly string[]
  /** What its first argument may be, where that is known. */
  choices: readonly string[]
}

/** All commands, the program itself first; each with the options that it takes and those of every command. */
export function commandLinesOf(program: Command): CommandLine[] {
  const shared = flagsOf(program).filter(({ name }) => name !== '--version')
  const visit = (command: Command, path: readonly string[]): CommandLine[] => [
    {
      path,
      about: command.description(),
      subcommands: command.commands.map((each) => ({ name: each.name(), about: each.description() })),
      flags: command === program ? flagsOf(program) : [...flagsOf(command), ...shared],
      arguments: command.registeredArguments.map((argument) => argument.name()),
      choices: command.registeredArguments[0]?.argChoices ?? [],
    },
    ...command.commands.flatMap((each) => visit(each, [...path, each.name()])),
  ]
  return visit(program, [])
}

function flagsOf(command: Command): Flag[] {
  return command.options.flatMap((option) =>
    option.long && !option.hidden
      ? [
          {
            name: option.long,
            about: option.description,
            choices: option.argChoices ?? [],
            ...(option.isBoolean() || option.negate ? {} : { value: kindOf(option) }),
          },
        ]
      : [],
  )
}

/** By the name in brackets, as people read it. */
function kindOf({ flags }: Option): NonNullable<Flag['value']> {
  if (/<file>/.test(flags)) return 'file'
  return /<dir>/.test(flags) ? 'folder' : 'text'
}
