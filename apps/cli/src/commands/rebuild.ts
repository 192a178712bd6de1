import { resolve } from 'node:path'
import type { Command } from 'commander'
import { readConfig } from '../config.ts'
import { EXIT } from '../exit-codes.ts'
import { withDatabase } from '../with-database.ts'

interface Flags {
  check?: boolean
  data: string
  json?: boolean
}

export function addRebuild(program: Command): void {
  program
    .command('rebuild')
    .description('make every projection anew from the log')
    .option('--check', 'change nothing: say where projections and log differ; exit 1 when they do')
    .option('--data <dir>', 'the data folder', '.devflow')
    .option('--json', 'one JSON object instead of prose')
    .action(async (flags: Flags) => {
      process.exitCode = await rebuildProjections(flags)
    })
}

async function rebuildProjections({ check = false, data, json }: Flags): Promise<number> {
  const { migrate, rebuild } = await import('@devflow/db')
  const result = await withDatabase(resolve(data), readConfig(process.env), async (databaseUrl) => {
    await migrate(databaseUrl)
    return rebuild(databaseUrl, { check })
  })
  const { runs, differences } = result
  if (json) process.stdout.write(`${JSON.stringify(result)}\n`)
  else {
    for (const { runId, table, detail } of differences)
      process.stdout.write(`${runId}  ${table}  ${detail}\n`)
    const found = differences.length === 0 ? 'no difference' : `${differences.length} differences`
    process.stdout.write(`${runs} runs, ${found}${check || differences.length === 0 ? '' : ', mended'}\n`)
  }
  return check && differences.length > 0 ? EXIT.failed : EXIT.completed
}
