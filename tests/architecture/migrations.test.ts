import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ROOT } from './sources.ts'

const FOLDER = join(ROOT, 'migrations')

/** SHA-256 of every migration that a release carried: from then on it never changes. Nothing is released yet. */
const RELEASED: Record<string, string> = {}

interface Journal {
  dialect: string
  entries: { idx: number; when: number; tag: string }[]
}

const { dialect, entries } = JSON.parse(readFileSync(join(FOLDER, 'meta/_journal.json'), 'utf8')) as Journal
const files = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.sql'))
  .map((file) => file.replace(/\.sql$/, ''))
  .sort()

test('every migration is in the journal, and every entry of the journal has its file', () => {
  expect(dialect).toBe('postgresql')
  expect(entries.map(({ tag }) => tag)).toEqual(files)
})

test('migrations are numbered without a gap and stand in the order of their times: the migrator looks at nothing else', () => {
  entries.forEach(({ idx, tag }, position) => {
    expect(idx).toBe(position)
    expect(tag).toMatch(new RegExp(`^${String(position).padStart(4, '0')}_[a-z0-9_]+$`))
  })
  const times = entries.map(({ when }) => when)
  expect(times).toEqual([...new Set(times)].sort((a, b) => a - b))
})

test('every migration has the snapshot that the next one is made against', () => {
  const snapshots = readdirSync(join(FOLDER, 'meta')).filter((file) => file.endsWith('_snapshot.json'))
  expect(snapshots.sort()).toEqual(entries.map(({ idx }) => `${String(idx).padStart(4, '0')}_snapshot.json`))
})

test('a released migration stays as it is', () => {
  const hashes = Object.fromEntries(
    Object.keys(RELEASED).map((tag) => [
      tag,
      createHash('sha256')
        .update(readFileSync(join(FOLDER, `${tag}.sql`)))
        .digest('hex'),
    ]),
  )
  expect(hashes).toEqual(RELEASED)
})
