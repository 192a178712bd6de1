import type { Message, ToolCall } from '../model.ts'

/** A tool call before it has an id. */
export interface Wish {
  name: 'read_file' | 'list_dir' | 'search_files'
  arguments: Record<string, string | number>
}

export interface Match {
  path: string
  line: number
  text: string
}

/** What the tools have shown so far in this conversation. Lines count from 1. */
export interface Seen {
  /** Calls made, whatever came of them, as `wishKey` writes them. */
  asked: Set<string>
  files: Map<string, { lines: Map<number, string>; total: number }>
  /** Entries as `list_dir` writes them: directories end in `/`. */
  directories: Map<string, string[]>
  /** By `wishKey` of the call. */
  searches: Map<string, { matches: Match[]; files: number }>
}

export const wishKey = (wish: { name: string; arguments: Record<string, unknown> }): string =>
  `${wish.name} ${JSON.stringify(Object.entries(wish.arguments).sort(([a], [b]) => (a < b ? -1 : 1)))}`

const FILE_HEAD = /^(.*) \(lines (\d+)-\d+ of (\d+)\)$/
const EMPTY_FILE = /^(.*) \(empty\)$/
const DIRECTORY_HEAD = /^(.*) \(\d+ entr(?:y|ies)\)$/
const NUMBERED = /^(\d+)\t(.*)$/
const MATCH = /^(.+?):(\d+): (.*)$/
const SEARCH_END = /^\[\d+ match(?:es)? in (\d+) files/

/** Reads the conversation back. Results that say that a call failed show nothing, but were asked for. */
export function seenIn(messages: readonly Message[]): Seen {
  const seen: Seen = { asked: new Set(), files: new Map(), directories: new Map(), searches: new Map() }
  let calls: ToolCall[] = []
  for (const message of messages) {
    if (message.role === 'assistant') calls = message.toolCalls
    if (message.role !== 'tool') continue
    const call = calls.find(({ id }) => id === message.toolCallId)
    if (!call) continue
    const key = wishKey({ name: call.name, arguments: argumentsOf(call) })
    seen.asked.add(key)
    const lines = message.content.split('\n')
    if (call.name === 'read_file') noteFile(seen, lines)
    if (call.name === 'list_dir') noteDirectory(seen, lines)
    if (call.name === 'search_files') noteSearch(seen, key, lines)
  }
  return seen
}

function argumentsOf(call: ToolCall): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(call.arguments)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

function noteFile(seen: Seen, [head = '', ...rest]: string[]): void {
  const empty = EMPTY_FILE.exec(head)?.[1]
  if (empty !== undefined) seen.files.set(empty, { lines: new Map(), total: 0 })
  const [, path, , total] = FILE_HEAD.exec(head) ?? []
  if (path === undefined) return
  const file = seen.files.get(path) ?? { lines: new Map<number, string>(), total: Number(total) }
  for (const line of rest) {
    const [, number, text] = NUMBERED.exec(line) ?? []
    if (number !== undefined && text !== undefined) file.lines.set(Number(number), text)
  }
  seen.files.set(path, file)
}

function noteDirectory(seen: Seen, [head = '', ...entries]: string[]): void {
  const path = DIRECTORY_HEAD.exec(head)?.[1]
  if (path !== undefined)
    seen.directories.set(
      path,
      entries.filter((entry) => !entry.startsWith('[')),
    )
}

function noteSearch(seen: Seen, key: string, lines: string[]): void {
  const files = SEARCH_END.exec(lines.at(-1) ?? '')?.[1]
  if (files === undefined) return
  const matches = lines.slice(0, -1).flatMap((line) => {
    const [, path, number, text] = MATCH.exec(line) ?? []
    return path !== undefined && number !== undefined && text !== undefined
      ? [{ path, line: Number(number), text }]
      : []
  })
  seen.searches.set(key, { matches, files: Number(files) })
}

/** Paths of the files listed so far. */
export const listedFiles = (seen: Seen): string[] =>
  [...seen.directories].flatMap(([directory, entries]) =>
    entries
      .filter((entry) => !entry.endsWith('/') && !entry.endsWith('@'))
      .map((entry) => (directory === '.' ? entry : `${directory}/${entry}`)),
  )
