import { createHash } from 'node:crypto'
import { CHUNK_KINDS, EVENT_TYPES, PHASE_KINDS } from '@devflow/contracts'
import type pg from 'pg'

type Row = Record<string, unknown>

/** A run as a build wrote it: its log with all that the log names, and what that build made of it. */
export interface KeptLog {
  run: string
  definitionHash: string
  definition: { format: number } & Row
  plan: { format: number } & Row
  events: Row[]
  chunks: Row[]
  /** By SHA-256, in base64 where they are no text. */
  blobs: Record<string, { text: string } | { base64: string }>
  /** The rows of each projection. */
  projections: Record<string, Row[]>
}

/** As of the build that keeps a log: one that was kept is held to those that were there then. */
const PROJECTIONS = [
  'runs',
  'run_budgets',
  'phases',
  'model_calls',
  'gates',
  'gate_decisions',
  'gate_delegations',
  'signals',
  'event_waits',
  'artifacts',
  'workspace_snapshots',
]

/** Reads the rows of a projection that are of a run. */
export async function projectionOf(pool: pg.Pool, table: string, run: string): Promise<Row[]> {
  const column = table === 'runs' ? 'id' : 'run_id'
  const { rows } = await pool.query<{ row: Row }>(
    `select jsonb_strip_nulls(to_jsonb(x) - 'run_id') as row from devflow.${table} x where ${column} = $1`,
    [run],
  )
  return rows.map(({ row }) => row)
}

/** Takes the log of a run out of a database. */
export async function takeLog(
  pool: pg.Pool,
  run: string,
  planOf: (definition: never) => unknown,
): Promise<KeptLog> {
  const { rows } = await pool.query<Omit<KeptLog, 'plan' | 'blobs' | 'projections'>>(
    `select r.id as run, d.hash as "definitionHash", d.body as definition,
       (select coalesce(jsonb_agg(jsonb_strip_nulls(to_jsonb(e) - 'run_id' - 'tenant' - 'data') || jsonb_build_object('data', e.data) order by e.seq), '[]')
        from devflow.run_events e where e.run_id = r.id) as events,
       (select coalesce(jsonb_agg(jsonb_strip_nulls(to_jsonb(c) - 'run_id' - 'tenant') order by c.seq), '[]') from devflow.run_chunks c where c.run_id = r.id) as chunks
     from devflow.runs r join devflow.definitions d on d.hash = r.definition_hash where r.id = $1`,
    [run],
  )
  const [log] = rows
  if (!log) throw new Error(`there is no run ${run}`)
  const { rows: found } = await pool.query<{ sha256: string; content: Buffer }>(
    'select sha256, content from devflow.blobs where run_id = $1 order by sha256',
    [run],
  )
  const projections = await Promise.all(
    PROJECTIONS.map(async (table) => [table, await projectionOf(pool, table, run)] as const),
  )
  return {
    ...log,
    plan: planOf(log.definition as never) as KeptLog['plan'],
    blobs: Object.fromEntries(found.map(({ sha256, content }) => [sha256, readable(content)])),
    projections: Object.fromEntries(projections.filter(([, own]) => own.length > 0)),
  }
}

/** Puts a kept log into a database; nothing is projected from it yet. */
export async function plantLog(pool: pg.Pool, log: KeptLog): Promise<void> {
  const { run, definitionHash, definition, events, chunks, blobs } = log
  await pool.query(
    'insert into devflow.definitions (hash, format, body) values ($1, $2, $3) on conflict do nothing',
    [definitionHash, definition.format, definition],
  )
  for (const [table, lines] of Object.entries({ run_events: events, run_chunks: chunks })) {
    const rows = lines.map((line) => ({ run_id: run, tenant: 'default', ...line }))
    await pool.query(
      `insert into devflow.${table} select * from jsonb_populate_recordset(null::devflow.${table}, $1::jsonb)`,
      [JSON.stringify(rows)],
    )
  }
  for (const [sha256, blob] of Object.entries(blobs))
    await pool.query('insert into devflow.blobs (run_id, sha256, content) values ($1, $2, $3)', [
      run,
      sha256,
      bytesOf(blob),
    ])
}

export const bytesOf = (blob: { text: string } | { base64: string }): Buffer =>
  'text' in blob ? Buffer.from(blob.text) : Buffer.from(blob.base64, 'base64')

function readable(content: Buffer): { text: string } | { base64: string } {
  const text = content.toString('utf8')
  return Buffer.from(text).equals(content) ? { text } : { base64: content.toString('base64') }
}

/** What there has to be a log of, for each format of events. */
export const WANTED: readonly string[] = [
  ...EVENT_TYPES.map((type) => `event ${type}`),
  ...PHASE_KINDS.map((kind) => `phase ${kind}`),
  ...[...CHUNK_KINDS, 'reset'].map((kind) => `chunk ${kind}`),
]

/** What a log is a fixture of, as in `event gate.closed`, `phase map`, `chunk token`. */
export function kindsIn({ events, chunks, definition }: KeptLog): Set<string> {
  const phases = JSON.stringify(definition.phases)
  return new Set([
    ...events.map(({ type }) => `event ${type}`),
    ...chunks.map(({ kind }) => `chunk ${kind}`),
    ...PHASE_KINDS.filter((kind) => phases.includes(`"${kind}":{`)).map((kind) => `phase ${kind}`),
  ])
}

export const sha256Of = (content: string | Buffer): string =>
  createHash('sha256').update(content).digest('hex')

/** Whether every blob is what its name says. */
export const isWhole = ({ blobs }: KeptLog): boolean =>
  Object.entries(blobs).every(([sha256, blob]) => sha256Of(bytesOf(blob)) === sha256)
