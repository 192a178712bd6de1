import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { Decimal } from 'decimal.js'
import { ERRORS, isErrorName } from './errors.ts'
import { argumentsText, callId, composeFrames, PLAIN, type Shape, type Stamp } from './frames.ts'
import type { FakeReply } from './handler.ts'
import { costUsd, priceOf } from './prices.ts'
import type { RecordedRequest, Recorder } from './recorder.ts'
import type { ChatBody, ChatMessage, FakeRequest, HttpError } from './reply.ts'
import { type Scenario, scenarioOf } from './scenarios.ts'
import { COST_PLACE, close, play, withCost } from './wire.ts'

const DEFAULT_CONTENT = 'Hello 👋, all is well.'

/** `gen-<unix seconds>-<20 letters and digits>`. */
const generationId = (): string =>
  `gen-${Math.floor(Date.now() / 1000)}-${randomBytes(16).toString('base64url').replaceAll(/[-_]/g, 'x').slice(0, 20)}`

/** Reads the request, records it and gives it to `answer`. */
export function receive(request: IncomingMessage, body: ChatBody, recorder: Recorder): FakeRequest {
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
  )
  const session = body.session_id ?? headers['x-session-id'] ?? ''
  const { authorization: _, ...shown } = headers
  const record: RecordedRequest = {
    id: generationId(),
    n: recorder.requests.length + 1,
    session,
    at: Date.now(),
    model: body.model,
    body,
    headers: shown,
    producedTokens: 0,
    sentBytes: 0,
    billedMicroUsd: 0,
  }
  recorder.add(record)
  return {
    n: record.n,
    nInSession: recorder.requests.filter((other) => other.session === session).length,
    session,
    model: body.model,
    messages: body.messages.map(inText),
    tools: (body.tools ?? []).map((tool) => tool.function.name),
    body,
    headers: shown,
  }
}

/** Answers one chat request and writes down what it cost. */
export async function answer(
  response: ServerResponse,
  record: RecordedRequest,
  given: FakeReply,
  recorder: Recorder,
  defaultMisses: number,
): Promise<void> {
  const gone = new AbortController()
  response.on('close', () => gone.abort())

  const error = given.error ?? namedError(given)
  const scenario = scenarioNamed(given)
  const reply: FakeReply = { ...scenario.reply, ...given }
  if (reply.content === undefined && !reply.toolCalls) reply.content = DEFAULT_CONTENT
  const shape: Shape = { ...PLAIN, ...scenario.shape }
  const { json, text } = scenario.wire ?? {}
  const raw = json === undefined ? text : JSON.stringify(json)
  const stamp = stampOf(record, reply)

  const full = billFor(record, reply, stamp)
  const settle = (usd: Decimal, finish: string | null) =>
    recorder.settle(record, {
      usd,
      promptTokens: full.prompt,
      completionTokens: record.producedTokens,
      cachedTokens: reply.usage?.cachedTokens ?? 0,
      provider: stamp.provider,
      modelUsed: stamp.model,
      finish,
      misses: reply.generationMisses ?? defaultMisses,
    })

  try {
    if (reply.delayMs) await sleep(reply.delayMs, undefined, { signal: gone.signal })
    gone.signal.throwIfAborted()
    if (error) {
      sendError(response, record, error)
    } else if (raw !== undefined || !record.body.stream) {
      sendWhole(response, record, raw ?? withCost(wholeBody(reply, stamp), stamp.costText))
      record.producedTokens = raw === undefined ? stamp.completionTokens : 0
    } else {
      await stream(response, record, reply, { ...scenario, shape }, stamp, gone.signal)
    }
    record.finishedAt = Date.now()
    if (error || raw !== undefined) recorder.changed()
    else settle(endBill(shape, reply, full, record), reply.finish ?? null)
  } catch (failure) {
    if (!gone.signal.aborted) throw failure
    record.abortedAt = Date.now()
    if (error) recorder.changed()
    else settle(reply.cancellable === false ? full.usd : full.part(record.producedTokens), null)
    return
  }
  close(response, scenario.wire?.close)
}

function stream(
  response: ServerResponse,
  record: RecordedRequest,
  reply: FakeReply,
  scenario: Scenario & { shape: Shape },
  stamp: Stamp,
  gone: AbortSignal,
): Promise<void> {
  record.status = 200
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache',
    'x-generation-id': record.id,
  })
  response.flushHeaders()
  return play(response, {
    frames: composeFrames(reply, scenario.shape, stamp),
    wire: scenario.wire,
    chunkDelayMs: reply.chunkDelayMs ?? 0,
    gone,
    onTokens: (tokens) => {
      record.producedTokens = tokens
    },
    onBytes: (count) => {
      record.sentBytes += count
    },
  })
}

function sendError(response: ServerResponse, record: RecordedRequest, error: HttpError): void {
  record.status = error.status
  const text = typeof error.body === 'string' ? error.body : JSON.stringify(error.body)
  response.writeHead(error.status, { 'content-type': 'application/json', ...error.headers })
  response.write(text)
}

/** A whole body, after the blank lines with which OpenRouter keeps the connection alive. */
function sendWhole(response: ServerResponse, record: RecordedRequest, body: string): void {
  record.status = 200
  response.writeHead(200, { 'content-type': 'application/json', 'x-generation-id': record.id })
  response.write('\n         \n'.repeat(3) + body)
}

const namedError = (reply: FakeReply): HttpError | undefined =>
  reply.scenario !== undefined && isErrorName(reply.scenario) ? ERRORS[reply.scenario]() : undefined

const scenarioNamed = (reply: FakeReply): Scenario =>
  reply.scenario === undefined || isErrorName(reply.scenario) ? {} : scenarioOf(reply.scenario)

function stampOf(record: RecordedRequest, reply: FakeReply): Stamp {
  const price = priceOf(record.model)
  const written = [reply.content ?? '', reply.reasoning ?? '', ...(reply.toolCalls ?? []).map(argumentsText)]
  const prompt = promptTokens(record, reply)
  const completion = reply.usage?.completionTokens ?? Math.ceil(written.join('').length / 4)
  const cached = reply.usage?.cachedTokens ?? 0
  const costText = reply.cost ?? costUsd(record.model, prompt, completion, cached).toString()
  return {
    id: record.id,
    created: Math.floor(record.at / 1000),
    model: reply.modelUsed ?? price.canonical,
    provider: reply.provider ?? price.provider,
    n: record.n,
    completionTokens: completion,
    costText,
    usage: {
      prompt_tokens: prompt,
      completion_tokens: completion,
      total_tokens: prompt + completion,
      cost: COST_PLACE,
      is_byok: false,
      prompt_tokens_details: { cached_tokens: cached, cache_write_tokens: 0, audio_tokens: 0 },
      cost_details: { upstream_inference_cost: COST_PLACE },
      completion_tokens_details: { reasoning_tokens: reply.usage?.reasoningTokens ?? 0, image_tokens: 0 },
      ...reply.usageFields,
    },
  }
}

const promptTokens = (record: RecordedRequest, reply: FakeReply): number =>
  reply.usage?.promptTokens ?? Math.ceil(JSON.stringify(record.body.messages).length / 4)

interface Bill {
  prompt: number
  usd: Decimal
  /** What is billed when the provider stopped after so many completion tokens; nothing for none. */
  part: (tokens: number) => Decimal
}

function billFor(record: RecordedRequest, reply: FakeReply, stamp: Stamp): Bill {
  const prompt = promptTokens(record, reply)
  const usd = stamp.costText === 'null' ? new Decimal(0) : new Decimal(stamp.costText)
  const cached = reply.usage?.cachedTokens ?? 0
  return {
    prompt,
    usd,
    part: (tokens) => {
      if (tokens === 0) return new Decimal(0)
      return tokens >= stamp.completionTokens ? usd : costUsd(record.model, prompt, tokens, cached)
    },
  }
}

/** Zero completion insurance: what ends in an error is free, unless it had finished before. */
function endBill(shape: Shape, reply: FakeReply, full: Bill, record: RecordedRequest): Decimal {
  if (reply.finish === 'error') return new Decimal(0)
  if (shape.error) return shape.error.after === 'finish' ? full.usd : new Decimal(0)
  if (shape.cut !== undefined && shape.cut !== 'done') return full.part(record.producedTokens)
  return full.usd
}

function wholeBody(reply: FakeReply, stamp: Stamp): unknown {
  const calls = reply.toolCalls ?? []
  const finish = reply.finish ?? (calls.length > 0 ? 'tool_calls' : 'stop')
  return {
    id: stamp.id,
    object: 'chat.completion',
    created: stamp.created,
    model: stamp.model,
    provider: stamp.provider,
    choices: [
      {
        index: 0,
        finish_reason: finish,
        native_finish_reason: finish,
        message: {
          role: 'assistant',
          content: calls.length > 0 ? (reply.content ?? null) : (reply.content ?? ''),
          reasoning: reply.reasoning ?? null,
          ...(calls.length > 0
            ? {
                tool_calls: calls.map((call, index) => ({
                  type: 'function',
                  index,
                  id: callId(call, stamp.n, index),
                  function: { name: call.name, arguments: argumentsText(call) },
                })),
              }
            : {}),
        },
      },
    ],
    usage: stamp.usage,
  }
}

/** Texts may come in parts. */
function inText(message: ChatMessage): ChatMessage {
  const content: unknown = message.content
  if (!Array.isArray(content)) return message
  return { ...message, content: content.map(({ text = '' }: { text?: string }) => text).join('') }
}
