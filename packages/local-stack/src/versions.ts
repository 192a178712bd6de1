import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join, parse } from 'node:path'
import { z } from 'zod'
import { otherMajor } from './postgres-data.ts'
import { POSTGRES_MAJOR } from './postgres-programs.ts'

/** Who wrote a data folder, in its `versions.json`. Temporal's is its server's; absent while none of ours was used. */
const Versions = z.object({
  devflow: z.string(),
  postgres: z.int(),
  temporal: z.string().optional(),
})
type Versions = z.infer<typeof Versions>

interface AdoptOptions {
  dataDir: string
  devflow: string
  /** The Temporal server about to be started on `dbFile`, unless a running one is used. */
  temporal?: { version: string; dbFile: string }
  now?: Date
}

/**
 * Checks the data folder against the versions about to use it, and records them. Another Postgres major throws
 * `CONFLICT postgres_major_changed` and changes nothing. A store of another Temporal is set aside, kept under a name
 * with version and date, which is answered: a fresh one is begun, and the workers bring unfinished runs there (I14).
 */
export function adoptVersions({ dataDir, devflow, temporal, now = new Date() }: AdoptOptions): {
  setAside?: string
} {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const file = join(dataDir, 'versions.json')
  const before = existsSync(file) ? Versions.parse(JSON.parse(readFileSync(file, 'utf8'))) : undefined
  if (before && before.postgres !== POSTGRES_MAJOR) throw otherMajor(dataDir, String(before.postgres))
  const isOther = temporal && before?.temporal !== undefined && before.temporal !== temporal.version
  const setAside = isOther ? moveStore(temporal.dbFile, `${before.temporal}-${stamp(now)}`) : undefined
  const versions: Versions = {
    devflow,
    postgres: POSTGRES_MAJOR,
    temporal: temporal?.version ?? before?.temporal,
  }
  writeFileSync(`${file}.new`, `${JSON.stringify(versions, null, 2)}\n`)
  renameSync(`${file}.new`, file)
  return { setAside }
}

/** SQLite's store is up to three files; the write-ahead log belongs to its database's name. */
function moveStore(dbFile: string, label: string): string | undefined {
  const { dir, name, ext } = parse(dbFile)
  const aside = join(dir, `${name}-${label}${ext}`)
  // The main file last: a crash in between is made good by the next start.
  for (const suffix of ['-wal', '-shm', '']) {
    if (existsSync(`${dbFile}${suffix}`)) renameSync(`${dbFile}${suffix}`, `${aside}${suffix}`)
  }
  return existsSync(aside) ? aside : undefined
}

const stamp = (now: Date) => now.toISOString().replace(/[-:]/g, '').replace(/\.\d+/, '')
