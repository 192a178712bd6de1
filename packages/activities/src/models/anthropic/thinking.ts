import type {
  ContentBlockParam,
  RedactedThinkingBlockParam,
  TextBlockParam,
  ThinkingBlockParam,
  ToolUseBlockParam,
} from '@anthropic-ai/sdk/resources/messages'

type Thought = ThinkingBlockParam | RedactedThinkingBlockParam

/** Where text and calls stood between the thoughts; what they said is in the message itself, without secrets (I8). */
type Place = { type: 'text'; end: number } | { type: 'call' }

export type Part = Thought | Place

/** Kept with an answer, and sent back with it: signed thoughts as they came, in their places. */
interface Thinking {
  /** Signatures are worth nothing to another model. */
  anthropic: string
  blocks: Part[]
}

/** Undefined where nothing was thought: text and calls have their order without it. */
export const thinkingOf = (model: string, blocks: Part[]): Thinking | undefined =>
  blocks.some(isThought) ? { anthropic: model, blocks } : undefined

const isThought = (block: Part): block is Thought =>
  block.type === 'thinking' || block.type === 'redacted_thinking'

function isOurs(reasoning: unknown, model: string): reasoning is Thinking {
  return (
    typeof reasoning === 'object' &&
    reasoning !== null &&
    'anthropic' in reasoning &&
    reasoning.anthropic === model &&
    'blocks' in reasoning &&
    Array.isArray(reasoning.blocks)
  )
}

/** The blocks of an answer, thoughts among them where this model had them. */
export function replayed(
  reasoning: unknown,
  model: string,
  content: string,
  textBlock: (text: string) => TextBlockParam[],
  calls: readonly ToolUseBlockParam[],
): ContentBlockParam[] {
  if (!isOurs(reasoning, model)) return [...textBlock(content), ...calls]
  const rest = [...calls]
  const blocks: ContentBlockParam[] = []
  let from = 0
  const texts = reasoning.blocks.filter(({ type }) => type === 'text').length
  let seen = 0
  for (const block of reasoning.blocks) {
    if (isThought(block)) blocks.push({ ...block })
    else if (block.type === 'call') blocks.push(...rest.splice(0, 1))
    else {
      seen += 1
      // A secret that was cut out has moved what follows: the last one takes all that is left.
      blocks.push(...textBlock(content.slice(from, seen === texts ? undefined : block.end)))
      from = block.end
    }
  }
  return [...blocks, ...rest]
}
