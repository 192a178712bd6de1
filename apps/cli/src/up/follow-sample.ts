import { Gate, type RunStatus } from '@devflow/contracts'
import { z } from 'zod'
import { followRun } from '../api/follow.ts'
import type { Api } from '../api/http.ts'
import type { Voice } from './voice.ts'

const Gates = z.object({ items: z.array(Gate) })

/**
 * Follows a run to its end, says what happens, and with `approve` decides its gates on the way. Answers how it ended;
 * `waiting` when it needs a person and may not be answered for.
 */
export async function followSample(
  api: Api,
  runId: string,
  approve: boolean,
  voice: Voice,
): Promise<RunStatus> {
  return followRun(api, runId, async (event) => {
    voice.event(event)
    if (event.type !== 'gate.opened') return undefined
    const { items } = await api.get(`/v1/runs/${runId}/gates`, Gates)
    const open = items.filter((gate) => gate.status === 'open')
    if (open.length === 0) return undefined
    if (!approve) {
      voice.say(`The run waits for a decision: ${open.map((gate) => gate.title).join(', ')}`)
      voice.say('It keeps waiting over restarts. `--approve` lets --once answer for you.')
      return 'waiting' as const
    }
    for (const gate of open) {
      const body = { decision: 'approve', comment: 'approved by --approve', subjectHash: gate.subjectHash }
      await api.post(`/v1/runs/${runId}/gates/${encodeURIComponent(gate.id)}/decisions`, body, z.unknown())
    }
    return undefined
  })
}

/** The run's report as Markdown. */
export async function reportOf(api: Api, runId: string): Promise<string> {
  const response = await api.open(`/v1/runs/${runId}/report`, { headers: { accept: 'text/markdown' } })
  return response.text()
}
