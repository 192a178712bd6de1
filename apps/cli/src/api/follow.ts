import { setTimeout as sleep } from 'node:timers/promises'
import { DevflowError, RunEvent, RunStatus } from '@devflow/contracts'
import { EventSourceParserStream } from 'eventsource-parser/stream'
import { z } from 'zod'
import type { Api } from './http.ts'

const End = z.object({ status: RunStatus })

/** How long the API may be away before following gives up; its supervisor has it back within seconds. */
const PATIENCE_MS = 60_000

/**
 * Follows a run's events to its end, over restarts of the API: it goes on after the last event seen. `onEvent` is
 * called once per event, in order; what it answers ends the following, as does the run's end, which answers its status.
 */
export async function followRun<Result>(
  api: Api,
  runId: string,
  onEvent: (event: RunEvent) => Promise<Result | undefined>,
): Promise<Result | RunStatus> {
  let lastSeq = 0
  let lostAt: number | undefined
  for (;;) {
    const reading = new AbortController()
    try {
      const response = await api.open(`/v1/runs/${runId}/events`, {
        headers: { accept: 'text/event-stream', 'last-event-id': String(lastSeq) },
        signal: reading.signal,
      })
      lostAt = undefined
      // Over, with nothing after the last event seen.
      if (response.status === 204 || !response.body) return await statusOf(api, runId)
      const messages = response.body
        .pipeThrough(new TextDecoderStream())
        .pipeThrough(new EventSourceParserStream())
      for await (const message of messages) {
        if (message.event === 'end') return End.parse(JSON.parse(message.data)).status
        const event = RunEvent.safeParse(JSON.parse(message.data))
        if (!event.success || event.data.seq <= lastSeq) continue
        lastSeq = event.data.seq
        const result = await onEvent(event.data)
        if (result !== undefined) return result
      }
    } catch (error) {
      if (error instanceof DevflowError && error.kind !== 'UNAVAILABLE') throw error
      lostAt ??= Date.now()
      if (Date.now() - lostAt > PATIENCE_MS) throw error
    } finally {
      reading.abort()
    }
    await sleep(250)
  }
}

async function statusOf(api: Api, runId: string): Promise<RunStatus> {
  return (await api.get(`/v1/runs/${runId}`, End)).status
}
