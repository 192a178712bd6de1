import type { Message } from '../model.ts'

/** Where the answer is to be found. */
export type Place = { mark: string } | { file: string }

/**
 * The conversation as one prompt, with where to put the answer. Control characters are taken out: an escape sequence in
 * a file that is quoted must not end the paste and press keys. `clone`: where it works, if it may change files.
 */
export function promptOf(messages: readonly Message[], place: Place, clone?: string): string {
  const parts = messages.map((message) => {
    switch (message.role) {
      case 'system':
        return message.content
      case 'assistant':
        return `You answered:\n${message.content}`
      case 'tool':
        return `Result of ${message.name}:\n${message.content}`
      default:
        return message.content
    }
  })
  return plain(
    ['Your task follows.', ...parts, clone === undefined ? '' : within(clone), where(place)]
      .filter((part) => part.trim() !== '')
      .join('\n\n'),
  )
}

const within = (clone: string): string =>
  `You work in ${clone}, a clone of the repository made for you: change files there as your task asks, and nowhere else. What you change is kept, whether you commit it or not.`

/** What an agent is told that has ended without an answer. */
export const reminder = (place: Place): string => plain(`There is no answer yet. ${where(place)}`)

const where = (place: Place): string =>
  'file' in place
    ? `Write your whole answer, and nothing else, into the file ${place.file} and then stop.`
    : `Put your whole answer between two lines of their own, «begin ${place.mark}» before it and «end ${place.mark}» after it, and then stop.`

const plain = (text: string): string => text.replaceAll('\r\n', '\n').replaceAll(/[^\P{Cc}\n\t]/gu, '')

/**
 * The answer on a screen: what stands between the last pair of marks that have lines of their own. What agents put
 * around lines is taken off: bullets and borders before a mark, the indentation that all lines of the answer share.
 */
export function answerOn(screen: string, mark: string): string | undefined {
  const lines = screen.split('\n')
  const end = lines.findLastIndex((line) => isMark(line, 'end', mark))
  const begin = lines.slice(0, Math.max(end, 0)).findLastIndex((line) => isMark(line, 'begin', mark))
  return begin === -1 ? undefined : withoutIndent(lines.slice(begin + 1, end))
}

/** Whether the end of an answer is to be seen, wherever its beginning is. */
export const hasEnded = (screen: string, mark: string): boolean =>
  screen.split('\n').some((line) => isMark(line, 'end', mark))

const isMark = (line: string, what: 'begin' | 'end', mark: string): boolean =>
  line.replaceAll(/^[^\p{L}«]*«?|[^\p{L}\d]*$/gu, '') === `${what} ${mark}`

function withoutIndent(lines: readonly string[]): string {
  const indents = lines
    .filter((line) => line.trim() !== '')
    .map((line) => line.length - line.trimStart().length)
  const common = indents.length === 0 ? 0 : Math.min(...indents)
  return lines
    .map((line) => line.slice(common).trimEnd())
    .join('\n')
    .trim()
}
