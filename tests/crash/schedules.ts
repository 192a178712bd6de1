import { DevflowClient } from '@devflow/client'
import { TEMPORAL } from '@devflow/contracts'
import { Client, Connection } from '@temporalio/client'
import { expect, vi } from 'vitest'
import type { Stack } from './stack.ts'

const PATIENCE = { timeout: 60_000, interval: 250 }
const HOURLY = { cron: ['30 * * * *'], timeZone: 'Europe/Berlin' }
const EVERY_MS = 2_000
const IDS = ['hourly', 'resting', 'ticking']

const apiOf = (stack: Stack) => new DevflowClient({ baseUrl: stack.ready.api })

/** One schedule whose next time is far, one that is paused, one that has times all the while. */
export async function putSchedules(stack: Stack): Promise<void> {
  const { schedules } = apiOf(stack)
  const submit = { template: 'crash:nap@1' }
  await schedules.put('hourly', { spec: HOURLY, submit })
  await schedules.put('resting', { spec: HOURLY, submit })
  await schedules.pause('resting')
  await schedules.put('ticking', { spec: { intervals: [{ every: `PT${EVERY_MS / 1000}S` }] }, submit })
  await expectMirrored(stack)
}

export async function deleteSchedules(stack: Stack): Promise<void> {
  for (const id of IDS) await apiOf(stack).schedules.delete(id)
}

/** Temporal has each schedule once, as it stands in Postgres: paused or not, and with the same times to come. */
export async function expectMirrored(stack: Stack): Promise<void> {
  const connection = await Connection.connect({ address: stack.ready.temporalAddress })
  const client = new Client({ connection })
  const idOf = (id: string) => TEMPORAL.scheduleId('default', id)
  try {
    await vi.waitFor(async () => {
      const there: string[] = []
      for await (const { scheduleId } of client.schedule.list()) there.push(scheduleId)
      expect(there.sort()).toEqual(IDS.map(idOf))
      for (const id of IDS) {
        const ours = await apiOf(stack).schedules.get(id)
        const theirs = await client.schedule.getHandle(idOf(id)).describe()
        expect([id, ours.paused, theirs.state.paused]).toEqual([id, id === 'resting', id === 'resting'])
        if (id !== 'hourly') continue
        const times = theirs.info.nextActionTimes.map((time) => time.getTime())
        expect(times.length).toBeGreaterThan(0)
        expect(ours.next.map((time) => Date.parse(time)).slice(0, times.length)).toEqual(
          times.slice(0, ours.next.length),
        )
      }
    }, PATIENCE)
  } finally {
    await connection.close()
  }
}

/** Each time of the ticking schedule counts once, from its first until now: before the loss, during it, and after. */
export async function expectEveryTime(stack: Stack): Promise<void> {
  const now = Date.now()
  await vi.waitFor(async () => {
    const { rows } = await stack.pool.query<{ at: Date }>(
      `select at from devflow.submissions where source = 'schedule/ticking' order by at`,
    )
    const times = rows.map(({ at }) => at.getTime())
    const [first = now] = times
    expect(times.at(-1)).toBeGreaterThan(now)
    expect(times).toEqual(times.map((_, nth) => first + nth * EVERY_MS))
  }, PATIENCE)
}
