import type { DevflowClient, LogItem, RunEvent } from '@devflow/client'
import type { Command } from 'commander'
import { EXIT, exitCodeOf } from '../../exit-codes.ts'
import { leftLines } from '../../following/end-lines.ts'
import { leavingSignal } from '../../following/leaving.ts'
import { type Invocation, invocationOf } from '../../invocation.ts'
import { findRunId } from '../../run-id.ts'
import { cut, inOneLine, padEnd, padStart } from '../../terminal/fit.ts'
import type { Screen } from '../../terminal/screen.ts'

interface Flags {
  after: number
  type?: string[]
  chunks?: boolean
  follow?: boolean
}

export async function showEvents(text: string, flags: Flags, command: Command): Promise<void> {
  const invocation = invocationOf(command)
  const client = invocation.client()
  const id = await findRunId(client, text, invocation.words)
  const print = printerOf(invocation)
  if (flags.follow) process.exitCode = await followEvents(id, flags, print, invocation)
  else for await (const item of recorded(client, id, flags)) print(item)
}

/** What is on record now, page after page. */
async function* recorded(
  client: DevflowClient,
  id: string,
  { after, type: types, chunks }: Flags,
): AsyncGenerator<RunEvent> {
  let next = after
  for (;;) {
    const page = await client.runs.events(id, { after: next, types, chunks })
    yield* page.items
    // A page may be empty where a filter has passed over rows: only a cursor that stands still is the end.
    if (page.done || page.nextAfter === next) return
    next = page.nextAfter
  }
}

async function followEvents(
  id: string,
  { after, type: types, chunks = false }: Flags,
  print: (item: LogItem) => void,
  invocation: Invocation,
): Promise<number> {
  const { json, screen, words } = invocation
  const lost = () => {
    if (!json) screen.print(words.run.connection)
  }
  const { runs } = invocation.client({ onRetry: lost })
  const leaving = leavingSignal()
  const { signal } = leaving
  const options = { after, types, signal }
  try {
    // A stream is connected again and again; whether anybody is there at all is found out before.
    await runs.get(id, { signal })
    const events = chunks ? runs.follow(id, { ...options, chunks: true }) : runs.follow(id, options)
    for (;;) {
      const next = await events.next()
      if (next.done) return exitCodeOf(next.value.status)
      print(next.value)
    }
  } catch (error) {
    if (!signal.aborted) throw error
    if (!json) screen.print(...leftLines(id, screen, words))
    return EXIT.interrupted
  } finally {
    leaving.forget()
  }
}

function printerOf({ json, screen, printJson }: Invocation): (item: LogItem) => void {
  return (item) => (json ? printJson(item) : screen.print(eventLine(item, screen)))
}

/** Number, time, phase, type and what the event holds, on one line. */
function eventLine(item: LogItem, { palette, width }: Screen): string {
  const head = [
    padStart(String(item.seq), 5),
    item.at.slice(11, 23),
    padEnd(cut(item.phase ?? 'run', 12), 12),
    padEnd(item.type, 17),
  ]
  const rest = 'data' in item ? item.data : 'text' in item ? item.text : ''
  const told = inOneLine(typeof rest === 'string' ? rest : JSON.stringify(rest))
  const room = width - head.join('  ').length - 2
  const [seq = '', at = '', phase = '', type = ''] = head
  const line = `${palette.faint(seq)}  ${palette.faint(at)}  ${phase}  ${palette.accent(type)}`
  return `${line}  ${palette.faint(told === '{}' ? '' : cut(told, room))}`.trimEnd()
}
