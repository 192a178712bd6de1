import { type Frame, type ProviderReply, piecesOf } from '../fake-provider/reply.ts'
import type { ProviderRequest } from '../fake-provider/server.ts'
import type { OllamaBody } from './body.ts'

export const line = (data: unknown): string => `${JSON.stringify(data)}\n`

/** The lines of one reply; the last one alone is `done` and has the counts, in which a zero is left out. */
export function framesOf(
  { body }: ProviderRequest<OllamaBody>,
  { thinking = '', text = '', chunks = 3, toolCalls = [], finish = 'stop', usage }: ProviderReply,
): Frame[] {
  const said = (
    part: Frame['part'],
    message: Record<string, unknown>,
    more: Record<string, unknown> = {},
  ): Frame => ({
    part,
    text: line({
      model: body.model,
      created_at: new Date().toISOString(),
      message: { role: 'assistant', content: '', ...message },
      done: false,
      ...more,
    }),
  })
  const { input = 10, output = 20, cached = 0 } = usage ?? {}
  return [
    ...piecesOf(thinking, 2).map((piece) => said('end', { thinking: piece })),
    ...piecesOf(text, chunks).map((piece) => said('text', { content: piece })),
    ...toolCalls.map((call, index) =>
      said('call', {
        tool_calls: [
          {
            ...(call.id === undefined ? {} : { id: call.id }),
            function: { index, name: call.name, arguments: call.arguments },
          },
        ],
      }),
    ),
    said(
      'end',
      {},
      {
        done: true,
        done_reason: finish,
        total_duration: 5_000_000,
        load_duration: 1_000_000,
        ...(input > 0 ? { prompt_eval_count: input } : {}),
        ...(cached > 0 ? { prompt_eval_cached_count: cached } : {}),
        prompt_eval_duration: 1_000_000,
        ...(output > 0 ? { eval_count: output } : {}),
        eval_duration: 3_000_000,
      },
    ),
  ]
}
