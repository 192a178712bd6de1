import type { AddHelpTextContext, Command } from 'commander'
import type { Words } from './messages/words.ts'
import { badUsage } from './refuse.ts'

/**
 * What is said before help, which is nothing. Refuses where help is no answer: to a command that there is not, and, where JSON is
 * asked for, to a group without a command. Throws INVALID `bad_usage`.
 */
export const beforeHelp =
  ({ failures }: Words) =>
  ({ command, error }: AddHelpTextContext): string => {
    const names = command.commands.map((each) => each.name())
    const named = command.args.find((word) => !word.startsWith('-'))
    if (names.length > 0 && named !== undefined && !names.includes(named))
      throw badUsage(failures.unknownCommand(named))
    if (error && command.optsWithGlobals<{ json?: boolean }>().json)
      throw badUsage(failures.noCommand(pathOf(command), names.join(', ')))
    return ''
  }

const pathOf = (command: Command): string =>
  command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name()
