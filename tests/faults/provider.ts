import type { FakeHandler, FakeReply, FakeRequest } from '@devflow/testing'
import { type AgentStep, allSteps, type Case, nth } from './case.ts'
import { echoOf, helpOf, readBack } from './seen.ts'

const played = new Map<string, AgentStep>()

/** From now on the agents of this case are known to the provider. */
export function cast({ name, template, children }: Case): void {
  for (const step of [template, ...children].flatMap(({ steps }) => allSteps(steps)))
    if (step.kind === 'agent') played.set(`${name} ${step.name}`, step)
}

/** How replies are streamed: slowly enough for something to happen in the middle. */
const STREAMED = { delayMs: 20, chunks: 6, chunkDelayMs: 15 }

/** Plays all agents of all cases, each as its case says: the same again for a request made again. */
export function players(): FakeHandler {
  const hiccups = new Set<string>()
  return (request) => ({ ...STREAMED, ...replyTo(request, hiccups) })
}

function replyTo({ messages, session }: FakeRequest, hiccups: Set<string>): FakeReply {
  const part = messages.find(({ role }) => role === 'user')?.content ?? ''
  const [, name = '', phase = '', see = ''] = /^\[(\S+) (\S+)\] see: (.*)$/m.exec(part) ?? []
  const step = played.get(`${name} ${phase}`)
  if (!step) throw new Error(`nobody plays ${name} ${phase}`)
  if (step.hangs) return { content: 'Too late.', delayMs: 3_600_000 }
  const [, id = '', attempt = ''] = session.split('/')
  const seen = readBack(see)
  const helper = /^helper (\d+)$/m.exec(part)?.[1]
  if (helper !== undefined) return { content: helpOf(seen, Number(helper)) }
  const reply = nth(step.replies, step.name, id, Number(attempt))
  const turn = messages.filter(({ role }) => role === 'assistant').length + 1
  if (reply.hiccup && turn === 1 && !hiccups.has(session)) {
    hiccups.add(session)
    return { scenario: '502' }
  }
  const calls = (name: string, ...args: unknown[]): FakeReply => ({
    content: `Turn ${turn}, long enough to be streamed in pieces.`,
    toolCalls: args.map((each, nth) => ({ id: `${name}_${turn}_${nth}`, name, arguments: each })),
  })
  const asking = reply.helpers > 0 ? 1 : 0
  if (turn <= asking) {
    const tasks = Array.from(
      { length: reply.helpers },
      (_, nth) => `[${name} ${phase}] see: ${see}\nhelper ${nth}`,
    )
    return calls('request_subagent', ...tasks.map((task) => ({ persona: 'worker', task })))
  }
  if (turn <= asking + reply.tools) return calls('list_dir', { path: '.' })
  if (reply.end === 'refused') return { scenario: '422' }
  if (reply.end === 'down') return { scenario: '503_availability' }
  const of = echoOf(seen, { ...inputsIn(part), ...askedIn(part), ...helpIn(messages) })
  if (!step.makes) return { content: of }
  const isBroken = reply.end === 'broken' || (reply.end === 'repaired' && turn === asking + reply.tools + 1)
  return calls('complete', { content: isBroken ? { n: 'none', of } : { n: reply.n, of } })
}

function inputsIn(part: string): Record<string, unknown> {
  const found = part.matchAll(/^<artifact name="(\w+)" [^\n]*>\n(.*?)\n<\/artifact>$/gms)
  return Object.fromEntries(
    [...found].map(([, name = '', content = '']) => [name, JSON.parse(content) as unknown]),
  )
}

/** What whoever has sent the run back wants otherwise. */
function askedIn(part: string): { asked?: string[] } {
  const [asked] = /<changes-requested .*<\/changes-requested>/s.exec(part) ?? []
  if (asked === undefined) return {}
  return {
    asked: [...asked.matchAll(/^<comment [^\n]*>\n(.*?)\n<\/comment>$/gms)].map(([, said = '']) => said),
  }
}

/** What those have said who were asked for help. */
function helpIn(messages: FakeRequest['messages']): { helped?: string[] } {
  const helped = messages.flatMap(({ role, content, tool_call_id: call }) =>
    role === 'tool' && call?.startsWith('request_subagent_') ? [content ?? ''] : [],
  )
  return helped.length > 0 ? { helped } : {}
}
