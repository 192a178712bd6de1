/**
 * The laws of a model adapter, held against a local server that speaks as the provider does. Every adapter passes them.
 *
 * How an adapter joins: write `conformance/<provider>.test.ts` beside this file, which holds
 *
 *     conforms({ name: 'openai', model: {…}, keyVariable: 'OPENAI_API_KEY', lacks: {}, start: async () => standIn })
 *
 * where `start` gives a `StandIn` (see subject.fixture.ts): a fake server of @devflow/testing with a translation of the
 * neutral `Play` into its replies and of its recorded requests into the neutral `Seen`. What the provider does not have
 * goes into `lacks`, with the reason. Codes of failures are those of `provider-failure.ts`. What only one provider does is
 * tested beside its adapter.
 */
import { failureLaws } from './failure-laws.fixture.ts'
import { replyLaws } from './reply-laws.fixture.ts'
import { streamLaws } from './stream-laws.fixture.ts'
import type { Subject } from './subject.fixture.ts'

export function conforms(subject: Subject): void {
  replyLaws(subject)
  if (subject.lacks.server === undefined) failureLaws(subject)
  streamLaws(subject)
}
