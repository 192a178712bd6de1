import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { destructiveIn, unusedSince } from './destructive.ts'
import { type Release, readReleases } from './releases.ts'
import { ROOT } from './sources.ts'

const FOLDER = join(ROOT, 'migrations')

interface Journal {
  dialect: string
  entries: { idx: number; when: number; tag: string }[]
}

const { dialect, entries } = JSON.parse(readFileSync(join(FOLDER, 'meta/_journal.json'), 'utf8')) as Journal
const files = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.sql'))
  .map((file) => file.replace(/\.sql$/, ''))
  .sort()
const sqlOf = (tag: string): string => readFileSync(join(FOLDER, `${tag}.sql`), 'utf8')
const releases = readReleases()

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

test('a released migration stays as it is, and nothing is put before it', () => {
  const released = releases.flatMap(({ migrations }) => Object.entries(migrations))
  const now = released.map(([tag]) => [tag, createHash('sha256').update(sqlOf(tag)).digest('hex')])
  expect(now).toEqual(released)
  expect(released.map(([tag]) => tag)).toEqual(files.slice(0, released.length))
})

test('a migration after the first release takes away only what an earlier release has stopped using', () => {
  expect(refused(releases, files, sqlOf)).toEqual({})
})

/** The destructive migrations that may not be, by name: builds of the release before are at work while they are applied. */
function refused(
  known: ReturnType<typeof readReleases>,
  tags: readonly string[],
  sql: (tag: string) => string,
): Record<string, unknown> {
  const first = Object.keys(known[0]?.migrations ?? Object.fromEntries(tags.map((tag) => [tag, ''])))
  const faults: Record<string, unknown> = {}
  for (const tag of tags.filter((tag) => !first.includes(tag))) {
    const since = unusedSince(sql(tag))
    const own = known.findIndex(({ migrations }) => tag in migrations)
    const before = (own === -1 ? known : known.slice(0, own)).map(({ version }) => version)
    const destructive = destructiveIn(sql(tag))
    if (destructive.length > 0 && (since === undefined || !before.includes(since))) faults[tag] = destructive
  }
  return faults
}

describe('which migrations are refused', () => {
  const known: Release[] = [
    { version: '1.0.0', migrations: { '0000_init': '' } },
    { version: '1.1.0', migrations: { '0001_more': '' } },
  ]
  const of = (sql: Record<string, string>) =>
    Object.keys(refused(known, ['0000_init', '0001_more', '0002_new'], (tag) => sql[tag] ?? ''))
  const DROP = 'ALTER TABLE "devflow"."runs" DROP COLUMN "old";'

  test('those of the first release met no older build', () => {
    expect(of({ '0000_init': DROP })).toEqual([])
    expect(Object.keys(refused([], ['0000_init'], () => DROP))).toEqual([])
  })
  test('every later one that takes something away without saying since when it is unused', () => {
    expect(of({ '0001_more': DROP, '0002_new': DROP })).toEqual(['0001_more', '0002_new'])
    expect(
      of({
        '0002_new': `-- Tidies up.\n-- contracts: unused since 1.1.0, which reads "new" instead.\n${DROP}`,
      }),
    ).toEqual([])
    expect(of({ '0002_new': `${DROP}\n-- contracts: unused since 1.1.0` })).toEqual(['0002_new'])
  })
  test('one that names a release which does not exist, or its own', () => {
    expect(of({ '0002_new': `-- contracts: unused since 1.2.0\n${DROP}` })).toEqual(['0002_new'])
    expect(of({ '0001_more': `-- contracts: unused since 1.1.0\n${DROP}` })).toEqual(['0001_more'])
    expect(of({ '0001_more': `-- contracts: unused since 1.0.0\n${DROP}` })).toEqual([])
  })
})

describe('destructive is', () => {
  test.for([
    'DROP TABLE "devflow"."runs" CASCADE;',
    'drop function devflow.append(uuid)',
    'DROP INDEX devflow.runs_by_time',
    'drop trigger immutable on devflow.run_events',
    'TRUNCATE devflow.outbox',
    'ALTER TABLE "devflow"."runs" DROP COLUMN "title"',
    'alter table devflow.runs add column a text, drop column b',
    'ALTER TABLE devflow.runs DROP CONSTRAINT runs_pkey',
    'ALTER TABLE devflow.runs ALTER COLUMN a DROP DEFAULT',
    'ALTER TABLE "devflow"."runs" RENAME COLUMN "a" TO "b"',
    'ALTER TABLE devflow.runs RENAME TO races',
    'alter function devflow.wake(uuid) rename to awaken',
    'ALTER TABLE "devflow"."runs" ALTER COLUMN "n" SET DATA TYPE bigint',
    'alter table devflow.runs alter n type text',
    'ALTER TABLE devflow.runs ALTER COLUMN a SET NOT NULL',
    'ALTER TABLE "devflow"."runs" ADD COLUMN "a" text NOT NULL',
    'ALTER TABLE devflow.runs ADD CONSTRAINT c CHECK (n > 0)',
    'ALTER TABLE "devflow"."runs" ADD CONSTRAINT "c" UNIQUE("title")',
    'CREATE UNIQUE INDEX "u" ON "devflow"."runs" USING btree ("title")',
    'DO $$ BEGIN IF true THEN ALTER TABLE devflow.runs DROP COLUMN title; END IF; END $$',
    "do $x$ begin execute 'drop table devflow.runs'; end $x$",
    'select 1; /* then */ drop view devflow.v',
  ])('%s', (sql) => {
    expect(destructiveIn(sql)).not.toEqual([])
  })
  test.for([
    'CREATE TABLE devflow.t (id text NOT NULL PRIMARY KEY, n integer NOT NULL UNIQUE)',
    'CREATE TABLE "devflow"."t" ("a" text);--> statement-breakpoint\nALTER TABLE "devflow"."t" ADD CONSTRAINT "f" FOREIGN KEY ("a") REFERENCES "devflow"."runs"("id");',
    'ALTER TABLE "devflow"."runs" ADD COLUMN "a" text',
    'ALTER TABLE "devflow"."runs" ADD COLUMN "a" integer DEFAULT 0 NOT NULL',
    "alter table devflow.runs add column a text not null default 'x', add column b text",
    'ALTER TABLE devflow.runs ADD COLUMN a uuid; ALTER TABLE devflow.runs ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES devflow.t(id)',
    'ALTER TABLE devflow.runs ALTER COLUMN a DROP NOT NULL',
    'CREATE INDEX i ON devflow.runs (title)',
    'CREATE OR REPLACE FUNCTION devflow.f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DROP TABLE t; TRUNCATE u; END $$',
    'DROP TRIGGER t ON devflow.runs; CREATE TRIGGER t AFTER INSERT ON devflow.runs EXECUTE FUNCTION devflow.f()',
    "-- DROP TABLE devflow.runs;\nSELECT 'drop table devflow.runs; truncate x'",
    'UPDATE devflow.runs SET a = 1',
  ])('not: %s', (sql) => {
    expect(destructiveIn(sql)).toEqual([])
  })
})
