import { expect, test } from 'vitest'
import { ModelError } from '../models/model.ts'
import type { CallOutcome } from './call.ts'
import { CallSlots } from './call-slots.ts'
import { Stop } from './stop.ts'

const ignore = () => {}
const slotsOf = (most: number) =>
  new CallSlots(most, { debug: ignore, info: ignore, warn: ignore, error: ignore })

const answered = { outcome: 'answered' } as CallOutcome
const limited: CallOutcome = {
  outcome: 'failed',
  error: new ModelError('RATE_LIMITED', 'provider_rate_limited', 'slow down', {
    retryable: true,
    billed: 'no',
  }),
}

/** Calls that stay under way until they are told how they end. */
class Calls {
  readonly slots: CallSlots
  readonly under: ((end: CallOutcome) => void)[] = []
  constructor(slots: CallSlots) {
    this.slots = slots
  }

  begin(stop = new Stop()): Promise<CallOutcome | undefined> {
    return this.slots.run('openrouter', stop, () => {
      const { promise, resolve } = Promise.withResolvers<CallOutcome>()
      this.under.push(resolve)
      return promise
    })
  }

  async end(how: CallOutcome, count = this.under.length): Promise<void> {
    for (const resolve of this.under.splice(0, count)) resolve(how)
    await settled()
  }
}

/** Lets promises that are due be kept. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

test('no more calls run at once than the worker has sessions', async () => {
  const calls = new Calls(slotsOf(3))
  const all = Array.from({ length: 5 }, () => calls.begin())
  await settled()
  expect(calls.under).toHaveLength(3)
  await calls.end(answered)
  await calls.end(answered)
  expect(await Promise.all(all)).toEqual(all.map(() => answered))
})

test('a refusal for their rate halves them, once for those that were under way together', async () => {
  const calls = new Calls(slotsOf(16))
  void Array.from({ length: 16 }, () => calls.begin())
  await settled()
  await calls.end(limited)
  expect(calls.slots.limit('openrouter')).toBe(8)
  void calls.begin()
  await settled()
  await calls.end(limited)
  // One alone was too many: fewer than one cannot be.
  expect(calls.slots.limit('openrouter')).toBe(1)
})

test('answers bring them back, one place for each round', async () => {
  const calls = new Calls(slotsOf(16))
  void Array.from({ length: 8 }, () => calls.begin())
  await settled()
  await calls.end(limited)
  expect(calls.slots.limit('openrouter')).toBe(4)
  for (let round = 0; round < 5; round += 1) {
    void Array.from({ length: 4 }, () => calls.begin())
    await settled()
    await calls.end(answered)
  }
  expect(calls.slots.limit('openrouter')).toBeGreaterThanOrEqual(6)
  expect(calls.slots.limit('openrouter')).toBeLessThan(16)
})

test('one provider’s limit is not another’s, and none holds for what runs in the worker', async () => {
  const slots = slotsOf(4)
  const stop = new Stop()
  await slots.run('openrouter', stop, async () => limited)
  expect(slots.limit('openrouter')).toBe(1)
  expect(slots.limit('anthropic')).toBe(4)
  const runs = Array.from({ length: 9 }, () => slots.run('scripted', stop, async () => answered))
  expect(await Promise.all(runs)).toHaveLength(9)
})

test('a session that is stopped or leaves does not wait, and its place goes to the next', async () => {
  const calls = new Calls(slotsOf(1))
  const first = calls.begin()
  const stopped = new Stop()
  const leaving = new Stop()
  const waiting = [calls.begin(stopped), calls.begin(leaving)]
  const last = calls.begin()
  await settled()
  stopped.now('canceled')
  leaving.leave()
  expect(await Promise.all(waiting)).toEqual([undefined, undefined])
  await calls.end(answered)
  expect(await first).toBe(answered)
  await calls.end(answered)
  expect(await last).toBe(answered)
})

test('a call that throws gives its place back', async () => {
  const slots = slotsOf(1)
  const broken = slots.run('openrouter', new Stop(), () => Promise.reject(new Error('Postgres is away')))
  await expect(broken).rejects.toThrow('Postgres is away')
  expect(await slots.run('openrouter', new Stop(), async () => answered)).toBe(answered)
})
