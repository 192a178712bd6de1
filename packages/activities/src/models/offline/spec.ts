import type { Fact, Topic } from './facts.ts'
import { factsIn } from './facts.ts'
import { languages, openNotes, placesOfRequest, testFiles } from './perceive.ts'
import type { Seen } from './seen.ts'

export interface Place {
  path: string
  line?: number
  note?: string
}

export interface Requirement {
  id: string
  text: string
  evidence?: Place[]
}

export interface Spec {
  title: string
  summary: string
  requirements: Requirement[]
  acceptance: string[]
  risks: string[]
  openQuestions: string[]
}

/** The note that a place's line holds this text; `quoteIn` reads it back. */
const quoteNote = (quote: string): string => `reads: ${quote.slice(0, 900)}`

/** The text a note says stands in its line, if it says so. */
export const quoteIn = (note: string | undefined): string | undefined =>
  /^reads: ([\s\S]+)$/.exec(note ?? '')?.[1] ?? /`([^`]{3,})`/.exec(note ?? '')?.[1]

const placeOf = ({ path, line, quote }: { path: string; line: number; quote: string }): Place => ({
  path,
  line,
  note: quoteNote(quote),
})

/** What a search showed of a line, without the note that it was cut. */
const wholeText = (text: string): string => text.replace(/… \[line cut, \d+ characters\]$/, '').trim()

const cut = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, most - 1)}…`

/** The request inside the task: what follows “Write a spec for:” or the like. */
export const requestOf = (task: string): string =>
  task.replace(/^\s*(?:please\s+)?(?:write|draft|make)\b[^:\n]{0,60}:\s*/i, '').trim() || task

/**
 * A spec by rules: what the repository shows today, each with its place, and what must go on to hold while the request
 * is carried out. It invents no design; where judgement is needed it asks.
 */
export function composeSpec(task: string, seen: Seen): Spec {
  const request = requestOf(task)
  const facts = factsIn(seen)
  const of = (topic: Topic) => facts.filter((fact) => fact.topic === topic)
  const touched = placesOfRequest(request, seen)
  const requirements: Omit<Requirement, 'id'>[] = [
    {
      text: `The work does what was asked: ${cut(request, 1500)}`,
      ...(touched.length > 0
        ? { evidence: touched.map((match) => placeOf({ ...match, quote: wholeText(match.text) })) }
        : {}),
    },
    ...purpose(of('purpose')),
    ...(['build', 'test', 'start'] as const).flatMap((topic) => commands(topic, of(topic))),
    ...of('entry').map((fact) => ({
      text: `This way in stays: ${lowerFirst(fact.text)}.`,
      evidence: [placeOf(fact)],
    })),
    ...of('runtime').map((fact) => ({
      text: `The platform stays as it is: ${lowerFirst(fact.text)}.`,
      evidence: [placeOf(fact)],
    })),
  ]
  return {
    title: cut(firstLine(request) || 'What the repository is', 200),
    summary: summary(request, facts, touched.length, seen),
    requirements: requirements
      .slice(0, 40)
      .map((requirement, index) => ({ id: `R${index + 1}`, ...requirement })),
    acceptance: acceptance(of('test'), of('build'), touched.length > 0),
    risks: risks(seen),
    openQuestions: openQuestions(touched.length, of('test').length, seen),
  }
}

function purpose(facts: Fact[]): Omit<Requirement, 'id'>[] {
  if (facts.length === 0) return []
  const said = facts.map((fact) => fact.text).join('. ')
  return [
    {
      text: cut(`The repository stays what it says it is. ${said}`, 2000),
      evidence: facts.slice(0, 20).map(placeOf),
    },
  ]
}

const VERB = { build: 'It can be built', test: 'Its tests can be run', start: 'It can be started' } as const

function commands(topic: keyof typeof VERB, facts: Fact[]): Omit<Requirement, 'id'>[] {
  if (facts.length === 0) return []
  const said = facts.map((fact) => lowerFirst(fact.text)).join('; ')
  return [
    {
      text: cut(`${VERB[topic]} as today: ${said}.`, 2000),
      evidence: facts.slice(0, 20).map(placeOf),
    },
  ]
}

function summary(request: string, facts: Fact[], touched: number, seen: Seen): string {
  const spoken = languages(seen)
    .slice(0, 4)
    .map(([name, files]) => `${name} (${files} ${files === 1 ? 'file' : 'files'})`)
  const about =
    facts.find(({ topic, text }) => topic === 'purpose' && text.includes('says')) ??
    facts.find(({ topic }) => topic === 'purpose')
  return cut(
    [
      `Asked for: ${cut(firstLine(request), 600)}.`,
      about ? `${about.text} (${about.path}:${about.line}).` : 'The repository does not say what it is.',
      spoken.length > 0 ? `It is written in ${spoken.join(', ')}.` : '',
      touched > 0 ? `The words of the request are found in ${touched} places that are cited below.` : '',
      'Composed by rules from what the files show, without a language model: the design is left to whoever carries it out.',
    ]
      .filter(Boolean)
      .join(' '),
    4000,
  )
}

function acceptance(tests: Fact[], builds: Fact[], touched: boolean): string[] {
  const command = ({ text }: Fact) => /`([^`]+)`/.exec(text)?.[1] ?? text
  return [
    ...builds.map((fact) => `\`${command(fact)}\` ends without an error.`),
    ...tests.map((fact) => `\`${command(fact)}\` ends without an error.`),
    'A new test shows what was asked for; it fails without the change and passes with it.',
    touched
      ? 'Whoever asked agrees that the cited places are the ones concerned.'
      : 'Whoever asked has named the place concerned.',
  ]
}

function risks(seen: Seen): string[] {
  const notes = openNotes(seen)
  const [first] = notes
  return [
    ...(first
      ? [
          cut(
            `${notes.length >= 200 ? 'At least 200' : notes.length} lines are marked TODO or FIXME, the first in ${first.path}:${first.line}: ${first.text.trim()}`,
            2000,
          ),
        ]
      : []),
    ...(seen.directories.size > 0 && testFiles(seen).length === 0
      ? ['No tests were found in the folders looked at: a mistake would go unseen.']
      : []),
  ]
}

function openQuestions(touched: number, tests: number, seen: Seen): string[] {
  if (seen.directories.size === 0) return ['Which repository is this about? None could be looked at.']
  return [
    ...(touched === 0
      ? ['Which part of the repository is concerned? No line holds the words of the request.']
      : []),
    ...(tests === 0 ? ['How are the tests run? No manifest says it.'] : []),
  ]
}

const firstLine = (text: string): string => text.split('\n')[0]?.trim() ?? ''
const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1)
