import type { Message } from './model.ts'

type Result = Extract<Message, { role: 'tool' }>

/** The conversation with results in the order of their calls: who has no ids for calls matches them by their places. */
export function resultsInOrder(messages: readonly Message[]): Message[] {
  const ordered: Message[] = []
  let waiting: Result[] = []
  let places = new Map<string, number>()
  const settle = () => {
    const place = ({ toolCallId }: Result) => places.get(toolCallId) ?? places.size
    ordered.push(...waiting.sort((a, b) => place(a) - place(b)))
    waiting = []
  }
  for (const message of messages) {
    if (message.role === 'tool') {
      waiting.push(message)
      continue
    }
    settle()
    if (message.role === 'assistant')
      places = new Map(message.toolCalls.map(({ id }, index) => [id, index] as const))
    ordered.push(message)
  }
  settle()
  return ordered
}
