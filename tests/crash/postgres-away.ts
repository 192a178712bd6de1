import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgres } from '@devflow/local-stack'
import { expect } from 'vitest'
import { call, expectSound, submit, waitForEvents, waitForStatus } from './runs.ts'
import { Stack } from './stack.ts'

/** Takes Postgres away for a time in the middle of a paid turn, and checks that the turn is kept and paid once. */
export async function takePostgresAway(ms: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'devflow-away-'))
  const dataDir = join(folder, 'postgres')
  let postgres = await startPostgres({ dataDir, path: process.env.PATH })
  const { port } = postgres
  let stack: Stack | undefined
  try {
    stack = await Stack.start({ workers: 1, env: { DATABASE_URL: postgres.url } })
    const run = await submit(stack, 'crash:one@1', { turns: 2, chunks: 40, chunkDelayMs: 20 })
    await waitForEvents(stack, run, 'call.started', 2)
    await postgres.stop()
    const stopped = Date.now()
    const { api } = stack.ready
    expect((await fetch(`${api}/v1/runs/${run}`)).status).toBe(503)
    expect(await (await fetch(`${api}/readyz`)).text()).toMatch(/postgres/i)
    expect((await fetch(`${api}/healthz`)).status).toBe(200)
    await new Promise((resolve) => setTimeout(resolve, ms - (Date.now() - stopped)))
    postgres = await startPostgres({ dataDir, port, path: process.env.PATH })
    await waitForStatus(stack, run, 'completed')
    await expectSound(stack, run)
    expect((await call(stack, '/readyz')).status).toBe(200)
  } finally {
    await stack?.close()
    await postgres.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}
