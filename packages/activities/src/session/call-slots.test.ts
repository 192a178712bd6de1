import { expect, test } from 'vitest'
import { CallSlots, type Pace } from './call-slots.ts'

/** How a call ended: what `paceOf` says of it. */
const answered = { pace: 'borne' as Pace }
const limited = { pace: 'too fast' as Pace }
const paceOf = ({ pace }: { pace: Pace }) => pace
const here = new AbortController().signal

/** Calls that stay under way until they are told how they end. */
class Calls {
  readonly slots: CallSlots
  readonly under: ((end: typeof answered) => void)[] = []
  constructor(slots: CallSlots) {
    this.slots = slots
  }

  begin(leave = here): Promise<typeof answered | undefined> {
    const call = () => {
      const { promise, resolve } = Promise.withResolvers<typeof answered>()
      this.under.push(resolve)
      return promise
    }
    return this.slots.run('openrouter', leave, call, paceOf)
  }

  async end(how: typeof answered, count = this.under.length): Promise<void> {
    for (const resolve of this.under.splice(0, count)) resolve(how)
    await settled()
  }
}

/** Lets promises that are due be kept. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

test('no more calls run at once than the worker has sessions', async () => {
  const calls = new Calls(new CallSlots(3))
  const all = Array.from({ length: 5 }, () => calls.begin())
  await settled()
  expect(calls.under).toHaveLength(3)
  await calls.end(answered)
  await calls.end(answered)
  expect(await Promise.all(all)).toEqual(all.map(() => answered))
})

test('a refusal for their rate halves them, once for those that were under way together', async () => {
  const calls = new Calls(new CallSlots(16))
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
  const calls = new Calls(new CallSlots(16))
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
  const slots = new CallSlots(4)
  await slots.run('openrouter', here, async () => limited, paceOf)
  expect(slots.limit('openrouter')).toBe(1)
  expect(slots.limit('anthropic')).toBe(4)
  const runs = Array.from({ length: 9 }, () => slots.run('scripted', here, async () => answered, paceOf))
  expect(await Promise.all(runs)).toHaveLength(9)
})

test('who leaves does not wait, and the place goes to the next', async () => {
  const calls = new Calls(new CallSlots(1))
  const first = calls.begin()
  const left = new AbortController()
  const waiting = [calls.begin(left.signal), calls.begin(left.signal)]
  const last = calls.begin()
  await settled()
  left.abort()
  expect(await Promise.all(waiting)).toEqual([undefined, undefined])
  await calls.end(answered)
  expect(await first).toBe(answered)
  await calls.end(answered)
  expect(await last).toBe(answered)
})

test('a call that throws gives its place back', async () => {
  const slots = new CallSlots(1)
  const broken = slots.run(
    'openrouter',
    here,
    () => Promise.reject<typeof answered>(new Error('Postgres is away')),
    paceOf,
  )
  await expect(broken).rejects.toThrow('Postgres is away')
  expect(await slots.run('openrouter', here, async () => answered, paceOf)).toBe(answered)
})
