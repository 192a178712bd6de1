import { cp, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { migrationsFolder } from './migrations.ts'

interface Journal {
  entries: { idx: number; when: number; tag: string }[]
}

/** A folder with this build's migrations and one after them, as a later build would have; the caller removes it. */
export async function laterMigrations(sql: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'devflow-migrations-'))
  await cp(migrationsFolder, folder, { recursive: true })
  const file = join(folder, 'meta', '_journal.json')
  const journal = JSON.parse(await readFile(file, 'utf8')) as Journal
  const last = journal.entries.at(-1)
  if (!last) throw new Error('there are no migrations')
  const tag = `${String(last.idx + 1).padStart(4, '0')}_later`
  journal.entries.push({ ...last, idx: last.idx + 1, when: last.when + 1, tag })
  await writeFile(join(folder, `${tag}.sql`), sql)
  await writeFile(file, JSON.stringify(journal))
  return folder
}
