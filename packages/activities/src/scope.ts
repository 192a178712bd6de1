import { getBlob, type Progress } from '@devflow/db'
import type { Scope } from '@devflow/definition'
import type pg from 'pg'

/** What expressions of a run see. Artifacts are read from the blob table only when `texts` speak of them. */
export async function scopeOf(pool: pg.Pool, progress: Progress, texts: unknown[]): Promise<Scope> {
  const needsArtifacts = texts.some((text) => JSON.stringify(text ?? null).includes('artifacts'))
  return {
    input: progress.input,
    artifacts: needsArtifacts ? await readArtifacts(pool, progress) : {},
    phases: Object.fromEntries(
      progress.phases.map(({ id, output, status }) => [id, { output: output ?? null, status }]),
    ),
    run: {
      id: progress.runId,
      attempt: progress.attempt,
      template: progress.template,
      labels: progress.labels,
    },
  }
}

/** The latest content of each artifact, parsed. */
async function readArtifacts(
  pool: pg.Pool,
  progress: Progress,
  names?: string[],
): Promise<Record<string, unknown>> {
  const wanted = progress.artifacts.filter(({ name }) => names === undefined || names.includes(name))
  const pairs = await Promise.all(
    wanted.map(async ({ name, sha256 }) => {
      const content = await getBlob(pool, progress.runId, sha256)
      return [name, content === undefined ? null : (JSON.parse(content.toString('utf8')) as unknown)] as const
    }),
  )
  return Object.fromEntries(pairs)
}
