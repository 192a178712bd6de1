import { z } from 'zod'

/**
 * The opaque part of an answer (`Message.reasoning`): its reasoning items as they came, in their order among its texts
 * and calls, which stand on record elsewhere.
 */
export const OrderedItem = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('reasoning'),
    id: z.string(),
    summary: z.array(z.object({ type: z.literal('summary_text'), text: z.string() })).catch([]),
    encrypted_content: z.string().min(1),
  }),
  z.object({
    type: z.literal('message'),
    phase: z.enum(['commentary', 'final_answer']).optional().catch(undefined),
  }),
  z.object({ type: z.literal('function_call'), call_id: z.string() }),
])
export type OrderedItem = z.infer<typeof OrderedItem>

export interface OutputOrder {
  output: OrderedItem[]
}
