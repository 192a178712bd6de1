import { type Frame, type ProviderReply, piecesOf } from '../fake-provider/reply.ts'
import type { ProviderRequest } from '../fake-provider/server.ts'
import type { GoogleBody, GooglePart } from './body.ts'

/** `/v1beta/models/<model>:streamGenerateContent?alt=sse` */
export const modelIn = (path: string): string | undefined =>
  /^\/v1(?:beta)?\/models\/([^/:]+):streamGenerateContent\?alt=sse$/.exec(path)?.[1]

/** The chunks of one reply: each a whole response of its own, with the usage so far. */
export function framesOf(
  { id, path }: ProviderRequest<GoogleBody>,
  { thinking, seal, text = '', chunks = 3, toolCalls = [], finish = 'STOP', usage }: ProviderReply,
): Frame[] {
  const frame = (part: Frame['part'], parts: GooglePart[], more: Record<string, unknown> = {}): Frame => ({
    part,
    text: chunk({
      candidates: [{ ...(parts.length > 0 ? { content: { parts, role: 'model' } } : {}), ...more, index: 0 }],
      usageMetadata: counts(usage),
      modelVersion: `${modelIn(path)}-001`,
      responseId: id,
    }),
  })
  const calls = toolCalls.map((call, position) => ({
    functionCall: {
      ...(call.id === undefined ? {} : { id: call.id }),
      name: call.name,
      args: call.arguments,
    },
    // A set of calls made at once has the signature at its first one.
    ...(call.seal !== undefined || (position === 0 && seal !== undefined)
      ? { thoughtSignature: call.seal ?? seal }
      : {}),
  }))
  const signed = seal !== undefined && calls.length === 0 ? [{ text: '', thoughtSignature: seal }] : []
  return [
    ...piecesOf(thinking ?? '', 2).map((piece) => frame('end', [{ text: piece, thought: true }])),
    ...piecesOf(text, chunks).map((piece) => frame('text', [{ text: piece }])),
    ...calls.map((call) => frame('call', [call])),
    frame('end', signed, { finishReason: finish }),
  ]
}

export const chunk = (data: unknown): string => `data: ${JSON.stringify(data)}\r\n\r\n`

/** Thoughts are counted beside the answer, cached tokens among the prompt; a zero is left out. */
function counts(usage: ProviderReply['usage']) {
  const { input = 10, output = 20, cached = 0, reasoning = 0 } = usage ?? {}
  const answer = output - reasoning
  return {
    promptTokenCount: input,
    ...(answer > 0 ? { candidatesTokenCount: answer } : {}),
    ...(reasoning > 0 ? { thoughtsTokenCount: reasoning } : {}),
    ...(cached > 0 ? { cachedContentTokenCount: cached } : {}),
    totalTokenCount: input + output,
  }
}
