import type { ModelAdapter, ModelEvent, ModelRequest, ToolCall } from './model.ts'
import { briefOf } from './offline/brief.ts'
import { seenIn, type Wish, wishKey } from './offline/seen.ts'
import { workFor } from './offline/work.ts'
import { estimateInput, estimateTokens, playReply } from './played-reply.ts'

/** A turn may ask for several things at once. */
const MOST_CALLS = 12
/** Turns in which it still looks around; what it knows by then must do. */
const MOST_LOOKING_TURNS = 12

/**
 * A rule-based model that needs no key and costs nothing. It speaks the same interface as the others, uses the same
 * tools on the real workspace, and says only what it has seen there. The same messages get the same answer.
 */
export function offlineModel(): ModelAdapter {
  async function* stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
    signal.throwIfAborted()
    const { content, toolCalls } = answer(request)
    const written = content + toolCalls.map((call) => call.arguments).join('')
    yield* playReply(
      {
        content,
        toolCalls,
        usage: {
          inputTokens: estimateInput(request.messages),
          outputTokens: estimateTokens(written),
          costMicroUsd: 0,
        },
        modelUsed: 'offline/rules',
      },
      signal,
    )
  }
  return { stream, price: () => ({ input: 0, output: 0 }) }
}

function answer({ messages, tools, turn }: ModelRequest): { content: string; toolCalls: ToolCall[] } {
  const offered = new Set(tools.map(({ name }) => name))
  const seen = seenIn(messages)
  const work = workFor(briefOf(messages))
  const looked = messages.filter(({ role }) => role === 'assistant').length
  const wishes = looked < MOST_LOOKING_TURNS ? unmet(work.wishes(seen), seen.asked, offered) : []
  if (wishes.length > 0)
    return {
      content: `${looked === 0 ? 'I look around first' : 'I look closer'}: ${wishes.map(spoken).join(', ')}.`,
      toolCalls: wishes.map((wish, index) => ({
        id: `call_${turn}_${index}`,
        name: wish.name,
        arguments: JSON.stringify(wish.arguments),
      })),
    }
  const result = work.compose(seen)
  if (!offered.has('complete'))
    return { content: typeof result === 'string' ? result : JSON.stringify(result), toolCalls: [] }
  return {
    content: `I have looked at ${seen.files.size} files and ${seen.directories.size} folders and write down what they show.`,
    toolCalls: [{ id: `call_${turn}_0`, name: 'complete', arguments: JSON.stringify({ content: result }) }],
  }
}

/** The wishes not yet asked for, each once, as many as fit in a turn. */
function unmet(wishes: Wish[], asked: ReadonlySet<string>, offered: ReadonlySet<string>): Wish[] {
  const open = new Map(wishes.filter(({ name }) => offered.has(name)).map((wish) => [wishKey(wish), wish]))
  for (const key of asked) open.delete(key)
  return [...open.values()].slice(0, MOST_CALLS)
}

function spoken(wish: Wish): string {
  const { path, pattern, glob } = wish.arguments
  if (wish.name === 'list_dir') return `the folder ${path}`
  if (wish.name === 'read_file') return `${path}`
  return glob === undefined ? `lines like ${pattern}` : `files like ${glob}`
}
