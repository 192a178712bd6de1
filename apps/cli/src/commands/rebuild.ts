import { resolve } from 'node:path'
import type { Command } from 'commander'
import { EXIT } from '../exit-codes.ts'
import { DATA_FOLDER, type Invocation, invocationOf } from '../invocation.ts'
import type { Words } from '../messages/words.ts'

interface Flags {
  check?: boolean
  data: string
}

export function addRebuild(program: Command, words: Words): void {
  const help = words.help.rebuild
  program
    .command('rebuild')
    .description(help.about)
    .option('--check', help.check)
    .option('--data <dir>', help.data, DATA_FOLDER)
    .action(async (flags: Flags, command: Command) => {
      process.exitCode = await rebuildProjections(flags, invocationOf(command))
    })
}

async function rebuildProjections({ check = false, data }: Flags, invocation: Invocation): Promise<number> {
  const { json, screen, words, printJson } = invocation
  // Only here: it takes a second that no other command should.
  const { migrate, rebuild } = await import('@devflow/db')
  const { withDatabase } = await import('../with-database.ts')
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
