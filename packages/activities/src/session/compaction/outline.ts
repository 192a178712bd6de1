import type { Message } from '../../models/model.ts'

const SAID = 300
const ARGUMENTS = 160

/** What was said and done in these messages, without a model's help: where none can be asked for a summary. */
export function outlineOf(messages: readonly Message[], most: number): string {
  const lines = messages.flatMap((message) => {
    switch (message.role) {
      case 'assistant':
        return [
          ...(message.content.trim() === '' ? [] : [`- You said: ${short(message.content, SAID)}`]),
          ...message.toolCalls.map(
            ({ name, arguments: args }) => `- You called ${name} ${short(args, ARGUMENTS)}`,
          ),
        ]
      case 'tool':
        return [`  It answered ${message.content.length} characters: ${short(message.content, ARGUMENTS)}`]
      case 'user':
        return [
          message.content.startsWith('<summary ')
            ? message.content
            : `- You were told: ${short(message.content, SAID)}`,
        ]
      default:
        return []
    }
  })
  // The end is what the next turn builds on.
  const kept: string[] = []
  let characters = 0
  for (const line of lines.reverse()) {
    characters += line.length + 1
    if (characters > most) {
      const room = most - (characters - line.length - 1)
      kept.push(line.startsWith('<summary ') ? short(line, room) : '[what was before is left out]')
      break
    }
    kept.push(line)
  }
  return kept.reverse().join('\n')
}

const short = (text: string, most: number): string => {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length <= most ? line : `${line.slice(0, most).toWellFormed()}…`
}
