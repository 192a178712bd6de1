import type pg from 'pg'

/** The bytes of a snapshot, and what they build on: a link of a chain that begins at the commit a run pinned. */
export interface SnapshotLink {
  sha256: string
  commit: string
  base: string
  /** How many links it takes to restore it. */
  links: number
}

/** Whose files are asked for. */
export interface TreeOwner {
  phase: string
  attempt: number
  /** Lines of work, the owner's own first, then those it forked from. */
  lines: readonly string[]
}

/**
 * The chain that leads to the files a session begins with, first link first; none where nothing was changed yet. Counted
 * is what phases that were completed have made, and what this attempt has made itself: what an attempt that failed left
 * half-done is not built upon.
 */
export async function readSnapshotChain(
  pool: pg.Pool,
  run: string,
  { phase, attempt, lines }: TreeOwner,
): Promise<SnapshotLink[]> {
  const { rows } = await pool.query<SnapshotLink>({
    name: 'read-snapshot-chain',
    text: `with recursive head as (
             select s.* from devflow.workspace_snapshots s
             where s.run_id = $1 and s.line = any($4::text[]) and ((s.phase = $2 and s.attempt = $3) or exists (
               select 1 from devflow.run_events e where e.run_id = s.run_id and e.key = s.phase || '/' || s.attempt || '/end' and e.type = 'phase.completed'))
             order by array_position($4::text[], s.line), s.seq desc limit 1
           ), chain as (
             select sha256, commit, base, links, seq from head
             union all
             select b.* from chain c cross join lateral (
               select s.sha256, s.commit, s.base, s.links, s.seq from devflow.workspace_snapshots s
               where s.run_id = $1 and s.commit = c.base and s.seq < c.seq order by s.seq desc limit 1
             ) b where c.links > 1
           ) select sha256, commit, base, links from chain order by seq`,
    values: [run, phase, attempt, lines],
  })
  return rows
}

/** Of lines of work, those whose completed phases have changed files. */
export async function linesChanged(
  pool: pg.Pool,
  run: string,
  lines: readonly string[],
): Promise<Set<string>> {
  const { rows } = await pool.query<{ line: string }>({
    name: 'lines-changed',
    text: `select distinct s.line from devflow.workspace_snapshots s
           join devflow.run_events e on e.run_id = s.run_id and e.key = s.phase || '/' || s.attempt || '/end' and e.type = 'phase.completed'
           where s.run_id = $1 and s.line = any($2::text[])`,
    values: [run, lines],
  })
  return new Set(rows.map(({ line }) => line))
}
