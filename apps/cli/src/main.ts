#!/usr/bin/env node
import { readManner } from './config.ts'
import { endWith } from './end-with.ts'
import { wordsIn } from './messages/languages.ts'
import { createProgram } from './program.ts'

const { language, ...manner } = readManner(process.argv, process.env)
const words = wordsIn(language)

await endWith(createProgram(words), { ...manner, words })
