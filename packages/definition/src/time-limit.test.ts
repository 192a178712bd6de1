import { expect, test } from 'vitest'
import { TimeLimitError, withinTime } from './time-limit.ts'

/** Takes wall time and no processor time, as work does on a machine that is busy with other things. */
function stand(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

test('work that never ends is stopped', () => {
  expect(() =>
    withinTime(30, () => {
      for (;;);
    }),
  ).toThrow(TimeLimitError)
})

test('work that was kept from the processor has its time all the same', () => {
  let tries = 0
  const work = () => {
    tries += 1
    stand(100)
    return 'done'
  }
  expect(withinTime(30, work)).toBe('done')
  expect(tries).toBeGreaterThan(1)
})

test('what work throws comes out as it is, and it is not done again', () => {
  let tries = 0
  const work = () => {
    tries += 1
    throw new RangeError('no')
  }
  expect(() => withinTime(30, work)).toThrow(RangeError)
  expect(tries).toBe(1)
})
