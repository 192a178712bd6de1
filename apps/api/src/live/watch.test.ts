import { CHANNELS } from '@devflow/contracts'
import { expect, onTestFinished, test } from 'vitest'
import { COMPLETED, testApi } from '../test-api.fixture.ts'
import { Watch } from './watch.ts'

const failed = (error: unknown) => {
  throw error
}

test('turns wake who reads the log, and not who waits for the run to get somewhere', async () => {
  const api = await testApi()
  const { id } = await api.submit()
  const { pool, listener } = api.deps
  const watch = new Watch({ pool, listener, pollMs: 1_000_000, onProblem: failed })
  const told: string[] = []
  const grew = () => told.filter((what) => what === 'grew').length
  watch.run(id, () => told.push('grew'))
  const forget = watch.moves(id, () => told.push('moved'))
  const turn = (key: string, type: string) =>
    api.append(id, { type, key, phase: 'say', attempt: 1, turn: 1, data: {} })

  await turn('first', 'turn.started')
  // Whoever begins to listen is told to look once: by then it has been.
  await expect.poll(grew).toBeGreaterThan(0)
  told.length = 0
  for (const type of ['tool.called', 'tool.completed', 'turn.completed']) await turn(type, type)
  await expect.poll(grew).toBeGreaterThanOrEqual(3)
  expect(told).not.toContain('moved')

  await api.append(id, COMPLETED)
  await expect.poll(() => told.at(-1)).toBe('moved')
  forget()
  told.length = 0
  await api.append(id, { type: 'run.completed', key: 'again', data: {} })
  await expect.poll(grew).toBe(1)
  expect(told).toEqual(['grew'])
  await watch.close()
})

test('of turns only who follows them is told, and as soon as somebody does', async () => {
  const api = await testApi()
  const { id } = await api.submit()
  const { pool, listener } = api.deps
  const told: string[] = []
  const unsubscribe = listener.subscribe(CHANNELS.run, { notified: (payload) => told.push(payload) })
  const watch = new Watch({ pool, listener, pollMs: 20, onProblem: failed })
  onTestFinished(() => watch.close())
  let turn = 0
  const grow = async (type = 'turn.started') => {
    turn += 1
    await api.append(id, { type, key: `grow/${turn}`, phase: 'say', attempt: 1, turn, data: {} })
  }
  const isFollowed = async () => (await pool.query('select devflow.is_followed() as is')).rows[0]?.is
  /** Grows by a turn and then by a phase, of which everybody is told: how many turns had been told of by then. */
  const toldOfTurns = async () => {
    await grow()
    const before = told.length
    await grow('phase.started')
    await expect.poll(() => told.slice(before)).toContain(`${id} ! ${id}`)
    return told.splice(0).filter((payload) => payload === id).length
  }

  await expect.poll(isFollowed).toBe(false)
  await toldOfTurns()
  expect(await toldOfTurns()).toBe(0)

  let looks = 0
  const leave = watch.run(id, () => looks++)
  await expect.poll(isFollowed).toBe(true)
  // It may have grown before that was known.
  await expect.poll(() => looks).toBeGreaterThan(0)
  expect(await toldOfTurns()).toBe(1)

  leave()
  await expect.poll(isFollowed).toBe(false)
  expect(await toldOfTurns()).toBe(0)
  unsubscribe()
})
