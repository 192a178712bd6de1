import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { expectSound, submit, waitForEvents, waitForStatus } from '../tests/crash/runs.ts'
import { Stack } from '../tests/crash/stack.ts'

const isRoot = process.getuid?.() === 0

// A disk of its own, in memory, which only root can mount.
test.skipIf(!isRoot)(
  'a full disk in the middle of runs: nothing is lost, and they go on once there is room',
  async () => {
    const disk = mkdtempSync(join(tmpdir(), 'devflow-disk-'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=400m,mode=755', 'tmpfs', disk])
    let stack: Stack | undefined
    try {
      stack = await Stack.start({ workers: 1, dataDir: join(disk, 'data') })
      const run = await submit(stack, 'crash:one@1', { turns: 12, chunks: 20, chunkDelayMs: 20 })
      await waitForEvents(stack, run, 'turn.completed', 2)
      fill(disk)
      // Until the log cannot take anything any more.
      const { api } = stack.ready
      await expect
        .poll(
          async () => {
            const body = JSON.stringify({ template: 'crash:one@1', input: { request: 'x'.repeat(500_000) } })
            const response = await fetch(`${api}/v1/runs`, {
              method: 'POST',
              body,
              headers: { 'content-type': 'application/json' },
            }).catch(() => undefined)
            return response?.status ?? 0
          },
          { timeout: 60_000, interval: 200 },
        )
        .toBe(503)
      rmSync(join(disk, 'filler'))
      await waitForStatus(stack, run, 'completed', 90_000)
      await expectSound(stack, run, { repeats: 2 })
    } finally {
      await stack?.close()
      execFileSync('umount', ['-l', disk])
      rmSync(disk, { recursive: true, force: true })
    }
  },
  240_000,
)

/** Writes until there is no room left, whoever else writes at the same time. */
function fill(disk: string): void {
  const { bavail, bsize } = statfsSync(disk)
  try {
    writeFileSync(join(disk, 'filler'), Buffer.alloc((bavail + 1) * bsize))
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
  }
}
