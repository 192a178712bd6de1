import type { TopicEvent } from '@devflow/client'
import type { Invocation } from '../invocation.ts'
import { cut, inOneLine, padEnd, padStart } from '../terminal/fit.ts'

/** Number, time, topic, id and what the event holds, on one line. */
export function eventPrinter({ json, screen, printJson }: Invocation): (event: TopicEvent) => void {
  const { palette, width } = screen
  return (event) => {
    if (json) return printJson(event)
    const { seq, at, topic, id, data } = event
    const told = data === null ? '' : inOneLine(JSON.stringify(data))
    const head = [padStart(String(seq), 5), at.slice(0, 19), padEnd(topic, 20), id]
    const room = width - head.join('  ').length - 2
    const [number = '', time = '', name = ''] = head
    screen.print(
      `${palette.faint(number)}  ${palette.faint(time)}  ${palette.accent(name)}  ${inOneLine(id)}  ${palette.faint(cut(told, room))}`.trimEnd(),
    )
  }
}
