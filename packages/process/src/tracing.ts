/** Ids, names, counts and codes; never what a person or a model wrote (I8). */
export type SpanAttributes = Record<string, string | number | boolean | undefined>

export interface SpanStart {
  /** Of a small set: what it was about stands in the attributes. */
  name: string
  kind?: 'server' | 'client' | 'producer' | 'internal'
  /** A W3C traceparent; the span around it when there is none. */
  parent?: string | undefined
  attributes?: SpanAttributes
}

export interface OpenSpan {
  readonly traceId: string
  rename(name: string): void
  set(attributes: SpanAttributes): void
  /** Says that it failed, by a stable code: messages may hold what must not leave (I8). */
  fail(code: string): void
}

/** A span that is written down when it is over, under an id that others could work out before. */
export interface WholeSpan extends SpanStart {
  parent: string
  spanId: string
  startedAt: Date
  /** The code of what it failed by. */
  failed?: string | undefined
}

/** Traces of what this process does. There is none when tracing is off: whoever takes one takes `undefined` too. */
export interface Tracing {
  /** Does work within a span, which ends with it. A rejection is the span's failure and goes on. */
  within<T>(about: SpanStart, work: (span: OpenSpan) => Promise<T>): Promise<T>
  /** A span beside the flow of calls: its opener ends it, once. */
  open(about: SpanStart): OpenSpan & { end(): void }
  record(span: WholeSpan): void
  /** The W3C traceparent of the span around the caller. */
  traceparent(): string | undefined
  /** The id of the trace around the caller. */
  traceId(): string | undefined
  /** Sends what is left; gives up after a while. Never rejects. */
  close(): Promise<void>
}
