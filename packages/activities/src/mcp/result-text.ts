import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js'

/** Characters of an answer that a model gets to see. */
const MOST_CHARACTERS = 100_000

/** What a server's answer says, as text: what is no text is named and counted. */
export function resultText({ content, structuredContent }: CallToolResult): string {
  const parts = content.map(partText)
  if (parts.length === 0 && structuredContent) parts.push(JSON.stringify(structuredContent))
  return shortened(parts.join('\n') || '(the tool answered nothing)')
}

/** The head and the tail of a long text, and how much is missing between them. */
export function shortened(text: string, most = MOST_CHARACTERS): string {
  if (text.length <= most) return text
  const half = Math.floor(most / 2)
  const left = text.length - 2 * half
  return `${text.slice(0, half)}\n[… ${left} characters are left out here …]\n${text.slice(-half)}`
}

function partText(part: CallToolResult['content'][number]): string {
  switch (part.type) {
    case 'text':
      return part.text
    case 'image':
    case 'audio':
      return `[${part.type} of type ${part.mimeType}, ${part.data.length} characters, not shown]`
    case 'resource_link':
      return `[resource ${part.uri}]`
    case 'resource':
      return 'text' in part.resource ? part.resource.text : `[resource ${part.resource.uri}, not shown]`
  }
}
