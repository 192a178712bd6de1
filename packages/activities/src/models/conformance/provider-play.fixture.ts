import type { FakeProvider, ProviderReply, ProviderRequest } from '@devflow/testing'
import type { ModelAdapter } from '../model.ts'
import type { Play, Reply, Seen, StandIn } from './subject.fixture.ts'

/** The suite's stand-in made of a fake provider, and of what only this one does in its own way. */
export function standInOf<Body>(
  fake: FakeProvider<Body>,
  own: {
    adapter: StandIn['adapter'] extends (options: infer O) => ModelAdapter
      ? (options: O) => ModelAdapter
      : never
    /** The provider's form of an error. */
    error(status: number, message: string, retryAfter?: number): unknown
    /** Its word for a reply that ended at the limit. */
    limit: string
    seen(body: Body, request: ProviderRequest<Body>): Omit<Seen, keyof Sent>
  },
): StandIn {
  const seen = (request: ProviderRequest<Body>): Seen => ({
    ...sent(request),
    ...own.seen(request.body, request),
  })
  return {
    adapter: own.adapter,
    play: (play) => fake.script(() => said(play, own)),
    get requests() {
      return fake.requests.map(seen)
    },
    waitFor: (holds, timeoutMs) => fake.waitFor((requests) => holds(requests.map(seen)), timeoutMs),
    close: () => fake.close(),
  }
}

type Sent = Pick<Seen, 'body' | 'sentBytes' | 'abortedAt' | 'finishedAt'>

const sent = ({ body, sentBytes, abortedAt, finishedAt }: ProviderRequest<unknown>): Sent => ({
  body,
  sentBytes,
  ...(abortedAt === undefined ? {} : { abortedAt }),
  ...(finishedAt === undefined ? {} : { finishedAt }),
})

function said(
  play: Play,
  { error, limit }: { error(status: number, message: string, retryAfter?: number): unknown; limit: string },
): ProviderReply {
  if ('status' in play) {
    const { status, message = 'no', retryAfter, body = error(status, message, retryAfter) } = play
    return {
      error: { status, body, headers: retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) } },
    }
  }
  const { reply, ...how } = play
  return { ...how, ...plain(reply, limit) }
}

const plain = ({ cutAtLimit, ...reply }: Reply, limit: string): ProviderReply => ({
  ...reply,
  ...(cutAtLimit ? { finish: limit } : {}),
})
