import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT, type Source, sources } from './sources.ts'

const MOST_LINES = 400

const those = (isWrong: (source: Source) => boolean): string[] =>
  sources.filter(isWrong).map(({ path }) => path)

test('every package opens with its law', () => {
  const indexes = sources.filter(({ path }) => /^packages\/[^/]+\/src\/index\.ts$/.test(path))
  expect(indexes.length).toBeGreaterThan(5)
  expect(indexes.filter(({ text }) => !/^\/\/ Law: \S/.test(text)).map(({ path }) => path)).toEqual([])
})

test('only apps and what tests use read the environment', () => {
  expect(
    those(
      ({ unit, isTest, text }) => !isTest && !unit.startsWith('apps/') && /\bprocess\.env\b/.test(code(text)),
    ),
  ).toEqual([])
})

test('nobody writes the environment', () => {
  expect(those(({ text }) => /\bprocess\.env(\.\w+|\[[^\]]+\])\s*=[^=]/.test(code(text)))).toEqual([])
})

test('file names are in kebab-case and name a thing', () => {
  const kebab = /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|fixture|config|soak|d))?\.(ts|tsx|mjs)$/
  expect(those(({ path }) => !kebab.test(basename(path)))).toEqual([])
  expect(those(({ path }) => /\b(utils?|helpers?|managers?|common)\b/.test(path))).toEqual([])
})

test(`no file is longer than ${MOST_LINES} lines`, () => {
  expect(those(({ text }) => text.split('\n').length > MOST_LINES)).toEqual([])
})

test('nothing is left to be done', () => {
  // Word by word, so that this file does not name what it looks for.
  const marks = new RegExp(
    `//.*\\b(${['TO', 'FIX', 'X'].map((half, index) => half + ['DO', 'ME', 'XX'][index]).join('|')})\\b`,
  )
  expect(
    those(({ text }) => text.split('\n').some((line) => marks.test(line) && !/['"`\\].*\/\//.test(line))),
  ).toEqual([])
})

test('no test is switched off or left alone', () => {
  expect(
    those(
      ({ path, text }) =>
        /\.test\.ts$/.test(path) && /^\s*(test|describe|it)(\.concurrent)?\.(only|skip|todo)\b/m.test(text),
    ),
  ).toEqual([])
})

test('every workspace package is private and carries the version of the whole', () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
  const units = [...new Set(sources.map(({ unit }) => unit))].filter((unit) => unit.includes('/'))
  const wrong = units.filter((unit) => {
    const manifest = JSON.parse(readFileSync(join(ROOT, unit, 'package.json'), 'utf8')) as Record<
      string,
      unknown
    >
    return manifest.private !== true || manifest.version !== version || manifest.type !== 'module'
  })
  expect(wrong).toEqual([])
})

/** Without line comments. */
const code = (text: string): string => text.replace(/^\s*(\/\/|\*|\/\*).*$/gm, '')
