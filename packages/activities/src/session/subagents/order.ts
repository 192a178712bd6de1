import type { BoundPersona } from '@devflow/contracts'
import type { ToolResult } from '../../tools/index.ts'
import type { DeliveryEnd } from '../delivery-end.ts'

/** What a session wants of an agent that it asks for help. */
export interface Order {
  /** The tool call by which it asks: its id, the turn, and which call of that turn it is, from 1. */
  call: string
  turn: number
  n: number
  persona: BoundPersona
  task: string
  /** How many are asked in this turn. Of several none changes anything, since they work side by side. */
  together: number
}

/** What comes of it: an answer for the model; or the asking session ends too, and goes on later where both stand. */
export type Reply = { result: ToolResult } | { end: DeliveryEnd }

/** What an agent that was asked for help may spend with all whom it asks in turn, inside the run's budget; nothing: what that holds. */
export interface Share {
  microUsd?: number
  tokens?: number
}

export type RunSubagent<Asking> = (asking: Asking, order: Order) => Promise<Reply>
