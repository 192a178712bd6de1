import type { Gate, RunStatus } from '@devflow/contracts'
import { ConnectionError } from './errors.ts'
import { eventStream } from './event-stream.ts'
import { queryOf } from './paths.ts'
import type { Transport } from './transport.ts'

/** Something has changed: fetch again what it names. `cursor` goes on after it. */
export type Poke =
  | { type: 'run'; cursor: string | undefined; runId: string; status: RunStatus; lastSeq: number }
  | { type: 'gate'; cursor: string | undefined; gate: Gate }

export interface PokeOptions {
  kind?: 'runs' | 'gates'
  template?: string
  labels?: Record<string, string>
  /** Begin after this poke; from now unless told. */
  cursor?: string
  signal?: AbortSignal
}

/** See `DevflowClient.stream`. */
export async function* pokes(
  transport: Transport,
  { kind, template, labels, cursor, signal }: PokeOptions,
): AsyncGenerator<Poke, never, undefined> {
  const path = `/v1/stream${queryOf({ kind, template }, labels)}`
  for await (const { id, event, data } of eventStream(transport, { path, lastId: cursor, signal })) {
    if (event === 'gate') yield { type: 'gate', cursor: id, gate: data as Gate }
    if (event === 'run')
      yield { type: 'run', cursor: id, ...(data as { runId: string; status: RunStatus; lastSeq: number }) }
  }
  throw new ConnectionError('UNAVAILABLE', 'stream_ended', 'The API ended a stream that has no end.')
}
