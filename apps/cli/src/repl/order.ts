import { DevflowError } from '@devflow/contracts'
import { split } from 'shlex'
import type { Words } from '../messages/words.ts'
import { badUsage } from '../refuse.ts'
import { bareOf } from './alone.ts'

/** What a line at the prompt asks for. */
export type Order = { do: 'nothing' } | { do: 'leave' } | { do: 'run'; args: string[] }

/** Words that the prompt itself knows. */
export const OWN_WORDS = ['help', 'exit'] as const

const LEAVING: readonly string[] = ['exit', 'quit']

/** Reads a line as a shell does its words. Throws INVALID `bad_usage`, or `own_terminal` for what goes on and on. */
export function orderOf(line: string, words: Words): Order {
  const args = argsOf(line)
  if (!args) throw badUsage(words.repl.unclosed)
  const [first, ...rest] = args
  if (first === undefined) return { do: 'nothing' }
  if (LEAVING.includes(first) && rest.length === 0) return { do: 'leave' }
  if (first === 'help') return { do: 'run', args: [...rest, '--help'] }
  const bare = bareOf(args, words)
  if (bare?.operands[0] === 'up' && !bare.unknown.some((option) => ['--help', '-h'].includes(option)))
    throw new DevflowError('INVALID', 'own_terminal', words.repl.ownTerminal)
  return { do: 'run', args }
}

/** The words of a line, without the program's name: commands are shown with it, and copied. Undefined where a quote is open. */
export function argsOf(line: string): string[] | undefined {
  try {
    const typed = split(line)
    const own = typed[0] === 'npx' && typed[1] === 'devflow' ? 2 : typed[0] === 'devflow' ? 1 : 0
    return typed.slice(own)
  } catch {
    return undefined
  }
}
