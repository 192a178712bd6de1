import { testDatabase } from '@devflow/db/testing'
import { expect, onTestFinished, test } from 'vitest'
import { runCommand } from '../support/command-line.ts'

const NODE_OPTIONS = `--import=${new URL('../support/tell-loaded.mjs', import.meta.url)}`

/** How many modules of which packages a command loads; those of this project by their folder. */
async function loadedBy(args: readonly string[], env = {}): Promise<Record<string, number>> {
  const { stderr } = await runCommand(args, { env: { NODE_OPTIONS, ...env } })
  const told = /^loaded (.*)$/m.exec(stderr)?.[1]
  if (told === undefined) throw new Error(`nothing was told of modules:\n${stderr}`)
  return JSON.parse(told) as Record<string, number>
}

test('a database that has all migrations is not migrated by what applies them', async () => {
  const { url, close } = await testDatabase()
  onTestFinished(close)
  const loaded = await loadedBy(['migrate'], { DATABASE_URL: url })
  expect(Object.keys(loaded)).toContain('pg')
  expect(Object.keys(loaded)).not.toContain('drizzle-orm')
})
