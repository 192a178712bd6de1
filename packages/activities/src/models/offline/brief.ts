import type { Message } from '../model.ts'

/** What a phase asks for, read from its prompt envelope. */
export interface Brief {
  /** The task's own text, without the blocks that follow it. */
  task: string
  /** Input artifacts by name. */
  artifacts: Map<string, unknown>
  /** JSON Schema of what is to be produced; undefined where plain text is wanted. */
  schema: Record<string, unknown> | undefined
}

// Artifacts stand as JSON, whose strings hold no line breaks: a line that closes the block is the block's end.
const ARTIFACT = /<artifact name="([^"]+)"[^>]*>\n([\s\S]*?)\n<\/artifact>/g
const SCHEMA = /<output-schema[^>]*>\n([\s\S]*?)\n<\/output-schema>/

export function briefOf(messages: readonly Message[]): Brief {
  const text = messages.find(({ role }) => role === 'user')?.content ?? ''
  const blocks = text.search(/<(?:artifact|output-schema)\b/)
  const schema = parsed(SCHEMA.exec(text)?.[1] ?? '')
  return {
    task: (blocks === -1 ? text : text.slice(0, blocks)).trim(),
    artifacts: new Map([...text.matchAll(ARTIFACT)].map(([, name = '', json = '']) => [name, parsed(json)])),
    schema: isRecord(schema) ? schema : undefined,
  }
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
