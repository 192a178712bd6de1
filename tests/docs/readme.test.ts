import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { documents, fencesOf, filesAt, textOf } from './documents.ts'
import { commandsIn } from './session.ts'

const ENGLISH = 'README.md'
const KOREAN = 'README.ko.md'

/** What is done and shown: commands without their comments, everything else as it stands; the picture has words. */
const examplesOf = (file: string) =>
  fencesOf(file)
    .filter(({ language }) => language !== 'mermaid')
    .map(({ language, text }) => (language === 'sh' ? commandsIn(text) : text))

const linksOf = (file: string) =>
  [...textOf(file).matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1] ?? '')
    .filter((link) => link !== ENGLISH && link !== KOREAN)
    .sort()

const headingsOf = (file: string) => textOf(file).match(/^#+ /gm)

test('the Korean README has the commands and examples of the English one', () => {
  expect(examplesOf(ENGLISH).length).toBeGreaterThan(6)
  expect(examplesOf(KOREAN)).toEqual(examplesOf(ENGLISH))
})

test('the Korean README has its chapters, pictures, links and rows', () => {
  expect(headingsOf(KOREAN)).toEqual(headingsOf(ENGLISH))
  expect(linksOf(KOREAN)).toEqual(linksOf(ENGLISH))
  const rows = (file: string) => textOf(file).match(/^\|/gm)?.length
  expect(rows(KOREAN)).toBe(rows(ENGLISH))
})

test('each leads to the other', () => {
  expect(textOf(ENGLISH)).toContain(`](${KOREAN})`)
  expect(textOf(KOREAN)).toContain(`](${ENGLISH})`)
})

test('every picture is shown, with words for who does not see it', () => {
  const shown = documents.flatMap((file) =>
    [...textOf(file).matchAll(/!\[([^\]]*)\]\(([^)]+)\)/g)].map(([, words = '', link = '']) => ({
      words,
      path: join(dirname(file), link),
    })),
  )
  expect(shown.filter(({ words }) => words.length < 10)).toEqual([])
  const pictures = filesAt('docs/images/*')
  expect(pictures.length).toBeGreaterThan(2)
  expect(pictures.filter((picture) => !shown.some(({ path }) => path === picture))).toEqual([])
})
