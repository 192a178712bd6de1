import type { ErrorName } from './errors.ts'
import type { FakeRequest, PlainReply } from './reply.ts'
import type { ScenarioName } from './scenarios.ts'

/** A reply, and the named oddity it is sent with. */
export interface FakeReply extends PlainReply {
  scenario?: ScenarioName | ErrorName
}

/** Answers a request. Should depend on the request alone, so that a repeated request is answered the same. */
export type FakeHandler = (request: FakeRequest) => FakeReply | Promise<FakeReply>
