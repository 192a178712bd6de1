import { Command } from 'commander'
import type { Words } from '../messages/words.ts'
import { sharedOptionsOn } from '../program.ts'

/** What a line says beside the options of every command. */
export interface Bare {
  /** The command's name, and what comes behind it. */
  operands: readonly string[]
  /** Options that not every command has. */
  unknown: readonly string[]
  json: boolean
}

/** A line without the options of every command; undefined where these are wrong, which the program tells when it reads them. */
export function bareOf(args: readonly string[], words: Words): Bare | undefined {
  const reader = sharedOptionsOn(new Command(), words)
    .helpOption(false)
    .exitOverride()
    .configureOutput({ outputError: () => {} })
  try {
    const { operands, unknown } = reader.parseOptions([...args])
    return { operands, unknown, json: reader.opts<{ json?: boolean }>().json ?? false }
  } catch {
    return undefined
  }
}

/** Whether the program was called without a command, for people. */
export function isAlone(args: readonly string[], words: Words): boolean {
  const bare = bareOf(args, words)
  return bare !== undefined && !bare.json && bare.operands.length + bare.unknown.length === 0
}
