#!/usr/bin/env node
import { endWith } from './end-with.ts'
import { readManner } from './manner.ts'
import { wordsIn } from './messages/languages.ts'
import { createProgram } from './program.ts'
import { isAlone } from './repl/alone.ts'

const { language, ...manner } = readManner(process.argv, process.env)
const words = wordsIn(language)

const program = createProgram(words)
const isTerminal = process.stdin.isTTY && process.stdout.isTTY
if (isTerminal && isAlone(process.argv.slice(2), words)) {
  // Only here: other commands begin sooner without it.
  const { addPrompt } = await import('./repl/repl.ts')
  addPrompt(program)
}
await endWith(program, { ...manner, words })
