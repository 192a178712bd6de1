// Loaded only when tracing is configured: `open-tracing.ts` is the way in.
import { AsyncLocalStorage } from 'node:async_hooks'
import {
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  RandomIdGenerator,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import manifest from '../package.json' with { type: 'json' }
import type { Logger } from './logger.ts'
import { readTraceparent, writeTraceparent } from './traceparent.ts'
import type { OpenSpan, SpanAttributes, SpanStart, Tracing, WholeSpan } from './tracing.ts'
import type { TracingConfig } from './tracing-config.ts'

/** A receiver that does not answer must not hold up the end of the process. */
const LAST_WORDS_MS = 2_000
const LONGEST_TEXT = 256

const KINDS = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  internal: SpanKind.INTERNAL,
}

/** Tracing by OpenTelemetry's SDK, to an OTLP receiver over HTTP. Delivery goes on beside the work and never fails it. */
export class OpenTelemetryTracing implements Tracing {
  readonly #ids = new ChosenIds()
  readonly #active = new AsyncLocalStorage<Context>()
  readonly #provider: TracerProvider
  readonly #tracer: Tracer

  constructor(config: TracingConfig, service: string, log: Logger) {
    const exporter = new OTLPTraceExporter({ url: config.url, headers: config.headers })
    this.#provider = new TracerProvider({
      idGenerator: this.#ids,
      sampler: samplerOf(config),
      resource: resourceFromAttributes({
        'service.name': config.service ?? service,
        'service.version': manifest.version,
        'service.instance.id': crypto.randomUUID(),
        ...config.attributes,
      }),
      spanLimits: { attributeValueLengthLimit: LONGEST_TEXT },
      spanProcessors: [new BatchSpanProcessor({ exporter: toldOf(exporter, log) })],
    })
    this.#tracer = this.#provider.getTracer('devflow', manifest.version)
  }

  async within<T>(about: SpanStart, work: (span: OpenSpan) => Promise<T>): Promise<T> {
    const { span, context } = this.#start(about)
    const opened = openSpan(span)
    try {
      return await this.#active.run(context, () => work(opened))
    } catch (error) {
      opened.fail(codeOf(error))
      throw error
    } finally {
      span.end()
    }
  }

  open(about: SpanStart): OpenSpan & { end(): void } {
    const { span } = this.#start(about)
    return Object.assign(openSpan(span), { end: () => span.end() })
  }

  record({ spanId, startedAt, failed, ...about }: WholeSpan): void {
    const { span } = this.#ids.choosing(spanId, () => this.#start(about, startedAt))
    if (failed !== undefined) openSpan(span).fail(failed)
    span.end()
  }

  traceparent(): string | undefined {
    const { traceId, spanId, traceFlags } = this.#span()?.spanContext() ?? {}
    return traceId && spanId ? writeTraceparent({ traceId, spanId, flags: traceFlags ?? 0 }) : undefined
  }

  traceId(): string | undefined {
    return this.#span()?.spanContext().traceId
  }

  async close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LAST_WORDS_MS)
    })
    // What goes wrong here was told of by the exporter.
    await Promise.race([this.#provider.shutdown().catch(() => {}), patience])
    clearTimeout(timer)
  }

  #start({ name, kind = 'internal', parent, attributes = {} }: SpanStart, startTime?: Date) {
    const around = contextOf(parent) ?? this.#active.getStore() ?? ROOT_CONTEXT
    const options = { kind: KINDS[kind], attributes: known(attributes), ...(startTime ? { startTime } : {}) }
    const span = this.#tracer.startSpan(name, options, around)
    return { span, context: trace.setSpan(around, span) }
  }

  #span(): Span | undefined {
    const context = this.#active.getStore()
    return context && trace.getSpan(context)
  }
}

/** Random ids, but for a span whose id others have worked out. */
class ChosenIds extends RandomIdGenerator {
  #chosen: string | undefined

  override generateSpanId(): string {
    return this.#chosen ?? super.generateSpanId()
  }

  choosing<T>(id: string, work: () => T): T {
    this.#chosen = id
    try {
      return work()
    } finally {
      this.#chosen = undefined
    }
  }
}

function openSpan(span: Span): OpenSpan {
  return {
    traceId: span.spanContext().traceId,
    rename: (name) => void span.updateName(name),
    set: (attributes) => void span.setAttributes(known(attributes)),
    fail: (code) => void span.setAttribute('error.type', code).setStatus({ code: SpanStatusCode.ERROR }),
  }
}

function contextOf(traceparent: string | undefined): Context | undefined {
  const parent = readTraceparent(traceparent)
  if (!parent) return undefined
  const { traceId, spanId, flags } = parent
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: flags, isRemote: true })
}

const known = (attributes: SpanAttributes): Attributes =>
  Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined))

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}

function samplerOf({ sampler, ratio }: TracingConfig): Sampler {
  const root = sampler.endsWith('always_on')
    ? new AlwaysOnSampler()
    : sampler.endsWith('always_off')
      ? new AlwaysOffSampler()
      : new TraceIdRatioBasedSampler(ratio)
  return sampler.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root
}

/** Tells of trouble and its end, once each: a receiver that is away is asked again every few seconds. */
function toldOf(exporter: SpanExporter, log: Logger): SpanExporter {
  let isAway = false
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        const failed = result.code !== 0
        if (failed && !isAway)
          log.warn({ err: result.error }, 'traces cannot be delivered; some will be lost')
        if (!failed && isAway) log.info('traces are delivered again')
        isAway = failed
        done(result)
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
  }
}
