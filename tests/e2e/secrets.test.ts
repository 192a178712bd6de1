import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { expect, test } from 'vitest'
import { call, waitForStatus } from '../crash/runs.ts'
import { Stack } from '../crash/stack.ts'

const SECRET = 'hunter2-swordfish-0815'
const KEY = 'sk-or-test-0123456789'

test('a configured secret is nowhere: not in tables, Temporal, logs, or what the model is sent (I8)', async () => {
  const stack = await Stack.start({ workers: 1, env: { DEVFLOW_SECRETS: SECRET } })
  try {
    const request = `[turns=2] [chunks=30] [tool=read_file {"path":"${SECRET}"}] The password is ${SECRET}. [[complete:{"text":"it is ${SECRET}!"}]]`
    const body = JSON.stringify({
      template: 'crash:gated@1',
      input: { request },
      labels: { note: SECRET },
      workspace: { repo: stack.repository },
    })
    const run = ((await (await call(stack, '/v1/runs', { method: 'POST', body })).json()) as { id: string })
      .id
    await waitForStatus(stack, run, 'waiting')
    const decision = JSON.stringify({ decision: 'approve', comment: `ok, ${SECRET}` })
    await call(stack, `/v1/runs/${run}/gates/approve/decisions`, { method: 'POST', body: decision })
    await waitForStatus(stack, run, 'completed')

    const tables = await stack.pool.query<{ name: string }>(
      "select table_name as name from information_schema.tables where table_schema = 'devflow'",
    )
    expect(tables.rows.length).toBeGreaterThan(10)
    for (const { name } of tables.rows) {
      const { rows } = await stack.pool.query<{ text: string }>(
        `select t::text as text from devflow."${name}" t`,
      )
      for (const { text } of rows) expectClean(text, `table ${name}`)
    }
    const blobs = await stack.pool.query<{ content: Buffer }>('select content from devflow.blobs')
    for (const { content } of blobs.rows) expectClean(content.toString('utf8'), 'a blob')
    const kept = await stack.pool.query<{ text: string }>(
      "select string_agg(text, '' order by seq) as text from devflow.run_chunks where run_id = $1",
      [run],
    )
    expect(kept.rows[0]?.text).toContain('[secret]')

    const connection = await Connection.connect({ address: stack.ready.temporalAddress })
    const history = await new Client({ connection }).workflow.getHandle(`run-${run}`).fetchHistory()
    await connection.close()
    const payloads = JSON.stringify(history, (_, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value,
    )
    expectClean(payloads, "Temporal's history")

    expectClean(JSON.stringify(await stack.requests()), 'what the provider was sent')
    const logs = join(stack.dataDir, 'logs')
    for (const file of readdirSync(logs)) expectClean(readFileSync(join(logs, file), 'utf8'), file)
    expectClean(stack.output, 'what up printed')
  } finally {
    await stack.close()
  }
}, 60_000)

function expectClean(text: string, where: string): void {
  for (const secret of [SECRET, KEY]) expect(text.includes(secret), `${where} holds a secret`).toBe(false)
}
