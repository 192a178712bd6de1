import { resolve } from 'node:path'
import { migrate, rebuild } from '@devflow/db'
import type { Command } from 'commander'
import { EXIT } from '../exit-codes.ts'
import { type Invocation, invocationOf } from '../invocation.ts'
import { withDatabase } from '../with-database.ts'

interface Flags {
  check?: boolean
  data: string
}

export async function rebuildDatabase(flags: Flags, command: Command): Promise<void> {
  process.exitCode = await rebuildProjections(flags, invocationOf(command))
}

async function rebuildProjections({ check = false, data }: Flags, invocation: Invocation): Promise<number> {
  const { json, screen, words, printJson } = invocation
  const result = await withDatabase(resolve(data), invocation, async (databaseUrl) => {
    await migrate(databaseUrl)
    return rebuild(databaseUrl, { check })
  })
  const { runs, differences } = result
  if (json) printJson(result)
  else {
    const said = words.rebuilt
    const found = differences.length === 0 ? said.same : said.differences(differences.length)
    const mended = check || differences.length === 0 ? '' : `, ${said.mended}`
    screen.print(
      ...differences.map(({ runId, table, detail }) => `${runId}  ${table}  ${detail}`),
      `${said.runs(runs)}, ${found}${mended}`,
    )
  }
  return check && differences.length > 0 ? EXIT.failed : EXIT.completed
}
