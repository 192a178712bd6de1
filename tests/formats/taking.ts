// While logs are recorded: every stack, before it ends, leaves the logs of its runs in a folder, to choose from.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { planOf } from '@devflow/definition'
import { Stack } from '../support/stack.ts'
import { takeLog } from './kept-log.ts'

const folder = process.env.DEVFLOW_LOGS_TAKEN
const stop = Stack.prototype.stop

Stack.prototype.stop = async function stopAfterTaking(this: Stack) {
  const { rows } = await this.pool.query<{ id: string }>(
    "select id from devflow.runs where status in ('completed', 'failed', 'canceled')",
  )
  for (const { id } of rows)
    await writeFile(join(folder ?? '', `${id}.json`), JSON.stringify(await takeLog(this.pool, id, planOf)))
  await stop.call(this)
}
