import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { collect, Harness } from './harness.fixture.ts'
import type { Subject } from './subject.fixture.ts'

/** A reply long enough to be left in the middle of. */
const LONG = { reply: { text: 'x'.repeat(4_000), chunks: 400 }, chunkDelayMs: 5 }

/** The most that may lie between a server and a reader who does not read: buffers of two sockets and of the client. */
const MOST_IN_FLIGHT = 12 * 1024 * 1024

/** How a stream is left, and what it holds while nobody reads it. */
export function streamLaws(subject: Subject): void {
  describe(`${subject.name}: a stream`, () => {
    const harness = new Harness(subject)

    test('that is aborted closes its connection at once and throws the reason', async () => {
      const controller = new AbortController()
      const reason = new Error('canceled by a person')
      const run = (async () => {
        for await (const event of harness.stream(LONG, { signal: controller.signal }))
          if (event.kind === 'token') controller.abort(reason)
      })()
      await expect(run).rejects.toBe(reason)
      await harness.standIn.waitFor(([first]) => first?.abortedAt !== undefined, 2000)
      expect(harness.standIn.requests[0]?.finishedAt).toBeUndefined()
    })

    test('that is aborted before its answer begins does the same', async () => {
      const controller = new AbortController()
      const run = collect(
        harness.stream({ reply: { text: 'Late.' }, delayMs: 60_000 }, { signal: controller.signal }),
      )
      await harness.standIn.waitFor((requests) => requests.length === 1)
      controller.abort(new Error('enough'))
      await expect(run).rejects.toThrow('enough')
      await harness.standIn.waitFor(([first]) => first?.abortedAt !== undefined, 2000)
    })

    test('that was aborted before it began asks nobody', async () => {
      const signal = AbortSignal.abort(new Error('too late'))
      await expect(collect(harness.stream(LONG, { signal }))).rejects.toThrow('too late')
      expect(harness.standIn.requests).toHaveLength(0)
    })

    test('whose reader leaves closes its connection too', async () => {
      for await (const event of harness.stream(LONG)) if (event.kind === 'token') break
      await harness.standIn.waitFor(([first]) => first?.abortedAt !== undefined, 2000)
    })

    if (!harness.has('server')) return

    test('does not time out while its reader is busy', async () => {
      const text = 'one two three'
      const stream = harness.stream({ reply: { text, chunks: 3 } }, { stallMs: 300 })
      let said = ''
      for await (const event of stream) {
        if (event.kind !== 'token') continue
        said += event.text
        await sleep(400) // The reader's own work: longer than the stall time.
      }
      expect(said).toBe(text)
    })

    test('whose reader is slow holds little: the server has to wait', async () => {
      const text = 'y'.repeat(48 * 1024 * 1024)
      const stream = harness.stream({ reply: { text, chunks: 3_000 } })
      let pieces = 0
      for await (const event of stream) {
        if (event.kind !== 'token') continue
        pieces += 1
        if (pieces === 10) break
        // Slow: gives the server all the time it wants between two pieces.
        if (pieces < 10) await settled(() => harness.standIn.requests[0]?.sentBytes ?? 0)
      }
      expect(harness.standIn.requests[0]?.sentBytes).toBeLessThan(MOST_IN_FLIGHT)
      expect(harness.standIn.requests[0]?.finishedAt).toBeUndefined()
    })
  })
}

/** Resolves once the figure has stood still for a while. */
async function settled(figure: () => number): Promise<void> {
  for (let last = -1, now = figure(); now !== last; last = now, now = figure()) await sleep(40)
}
