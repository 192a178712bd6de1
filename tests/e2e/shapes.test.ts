import {
  Call,
  ChunkReset,
  Gate,
  PhaseView,
  Problem,
  Report,
  Run,
  RunChunk,
  RunEvent,
} from '@devflow/contracts'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { call, decide, waitForStatus } from '../crash/runs.ts'
import { Stack } from '../crash/stack.ts'

const list = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item) })

test('a whole run through the API: every answer has the shape its contract says', async () => {
  const stack = await Stack.start({ workers: 1 })
  const get = async <T>(path: string, shape: z.ZodType<T>): Promise<T> =>
    shape.parse(await (await call(stack, path)).json())
  try {
    const bindings = {
      'spec-writer': 'offline-spec-writer@1',
      reviewer: 'offline-code-reviewer@1',
      verifier: 'offline-verifier@1',
    }
    const body = {
      template: 'spec-and-review@1',
      input: { request: 'Describe it' },
      bindings,
      workspace: { repo: stack.repository },
      labels: { team: 'core' },
    }
    const created = await call(stack, '/v1/runs', { method: 'POST', body: JSON.stringify(body) })
    expect(created.status).toBe(201)
    const { id } = Run.parse(await created.json())
    expect(created.headers.get('location')).toBe(`/v1/runs/${id}`)
    expect((await call(stack, `/v1/runs/${id}/report`)).status).toBe(409)
    await waitForStatus(stack, id, 'waiting')
    const waiting = await get(`/v1/runs/${id}`, Run)
    expect(waiting.waitingFor).toMatchObject([{ kind: 'gate', id: 'approve' }])
    const { items: gates } = await get(`/v1/runs/${id}/gates`, list(Gate))
    expect(gates).toMatchObject([
      { id: 'approve', status: 'open', subject: [{ artifact: 'spec' }, { artifact: 'findings' }] },
    ])
    Gate.parse(await (await decide(stack, id)).json())
    await waitForStatus(stack, id, 'completed')

    const run = await get(`/v1/runs/${id}`, Run)
    expect(run).toMatchObject({
      status: 'completed',
      labels: { team: 'core' },
      output: { verdict: expect.any(String) },
    })
    expect(
      (await get('/v1/runs?status=completed&label.team=core', list(Run.partial()))).items.map(
        (item) => item.id,
      ),
    ).toEqual([id])
    expect((await get(`/v1/runs/${id}/phases`, list(PhaseView))).items.map((phase) => phase.status)).toEqual(
      Array(4).fill('completed'),
    )
    const { items: calls } = await get(`/v1/runs/${id}/calls`, list(Call))
    expect(calls.length).toBeGreaterThan(3)
    expect(new Set(calls.map(({ status }) => status))).toEqual(new Set(['settled']))
    expect(
      (
        await get(
          `/v1/runs/${id}/audit`,
          list(z.object({ seq: z.int(), tool: z.string(), decision: z.enum(['allowed', 'denied']) })),
        )
      ).items.length,
    ).toBeGreaterThan(3)
    const report = await get(`/v1/runs/${id}/report`, Report)
    expect(report).toMatchObject({ outcome: 'completed', runId: id })
    expect(
      await (await call(stack, `/v1/runs/${id}/report`, { headers: { accept: 'text/markdown' } })).text(),
    ).toMatch(/^# Write a spec, review it, verify it: completed/)
    const Row = z.union([
      RunEvent.refine(({ type }) => !type.startsWith('chunk')),
      z.object({ type: z.literal('chunk'), data: RunChunk }),
      z.object({ type: z.literal('chunk.reset'), data: ChunkReset }),
    ])
    const log = await get(
      `/v1/runs/${id}/events?chunks=true&limit=1000`,
      list(Row).extend({ nextAfter: z.int(), done: z.boolean() }),
    )
    expect(log.items.length).toBeGreaterThan(50)
    Problem.parse(await (await call(stack, '/v1/runs/nothing')).json())
  } finally {
    await stack.close()
  }
}, 60_000)
