import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

/** Where the migrations lie: SQL files and the journal that orders them. */
export const migrationsFolder = fileURLToPath(new URL('../../../migrations', import.meta.url))

const Journal = z.object({ entries: z.array(z.object({ when: z.number(), tag: z.string() })) })

export interface Migration {
  /** What the migrator orders by, and notes as `created_at`. */
  when: number
  /** The name of its file, without `.sql`. */
  tag: string
}

/** In the order in which they are applied. */
export async function migrationsIn(folder: string): Promise<Migration[]> {
  const text = await readFile(join(folder, 'meta', '_journal.json'), 'utf8')
  return Journal.parse(JSON.parse(text)).entries
}

/** As the migrator counts: what is younger than the last one that was applied; all where none was. */
export const pendingAfter = (last: number, migrations: readonly Migration[]): Migration[] =>
  migrations.filter(({ when }) => when > last)

/** What the migrator notes of a migration, to tell it from another of the same time. */
export async function hashOf({ tag }: Migration, folder: string): Promise<string> {
  const text = await readFile(join(folder, `${tag}.sql`), 'utf8')
  return createHash('sha256').update(text).digest('hex')
}
