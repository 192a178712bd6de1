import { isoTime, present, type Queryable } from './queryable.ts'

/** A version of an artifact, without its bytes. */
export interface ArtifactView {
  name: string
  version: number
  sha256: string
  mediaType: string
  bytes: number
  /** The phase and attempt that made it; reports have none. */
  phase?: string
  attempt?: number
  at: string
}

interface Row extends Omit<ArtifactView, 'at' | 'phase' | 'attempt'> {
  phase: string | null
  attempt: number | null
  at: Date
}

const VIEW = `a.name, a.version, a.sha256, a.media_type as "mediaType", a.bytes, a.phase, a.attempt, a.at`

/** The versions of all artifacts of a run, by name and version; at most `limit`. */
export async function listArtifacts(db: Queryable, run: string, limit = 10_000): Promise<ArtifactView[]> {
  const { rows } = await db.query<Row>({
    name: 'list-artifacts',
    text: `select ${VIEW} from devflow.artifacts a where a.run_id = $1 order by a.name, a.version limit $2`,
    values: [run, limit],
  })
  return rows.map(viewOf)
}

/** A version of an artifact with its bytes, the latest unless told; undefined when there is none. */
export async function readArtifact(
  db: Queryable,
  run: string,
  name: string,
  version?: number,
): Promise<(ArtifactView & { content: Buffer }) | undefined> {
  const { rows } = await db.query<Row & { content: Buffer }>({
    name: 'read-artifact',
    text: `select ${VIEW}, coalesce(b.content, (select string_agg(p.content, ''::bytea order by p.part)
             from devflow.blob_parts p where p.run_id = a.run_id and p.sha256 = a.sha256)) as content from devflow.artifacts a
           left join devflow.blobs b on b.run_id = a.run_id and b.sha256 = a.sha256
           where a.run_id = $1 and a.name = $2 and ($3::int is null or a.version = $3) order by a.version desc limit 1`,
    values: [run, name, version ?? null],
  })
  const [row] = rows
  return row && { ...viewOf(row), content: row.content }
}

function viewOf({ name, version, sha256, mediaType, bytes, phase, attempt, at }: Row): ArtifactView {
  return present({
    name,
    version,
    sha256,
    mediaType,
    bytes,
    phase: phase ?? undefined,
    attempt: attempt ?? undefined,
    at: isoTime(at),
  })
}
