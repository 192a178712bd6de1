import { DevflowError, type ErrorDetail } from '@devflow/contracts'
import { type EventLine, putBlob } from '@devflow/db'
import { checkArtifact, itemMarks, nameIn } from '@devflow/definition'
import { artifactsSeen, viewOf } from '../scope/index.ts'
import type { Proposed } from './artifact-form.ts'
import { eventAt } from './place.ts'
import type { Session } from './session.ts'

/** How often a model may repair an artifact that does not fit its schema. */
export const MOST_REPAIRS = 1

const MEDIA_TYPES = { json: 'application/json', markdown: 'text/markdown', text: 'text/plain' } as const

export interface Judged {
  accepted: boolean
  lines: EventLine[]
  /** What the model is told: the exact errors, or that it is done. */
  said: string
  errors: ErrorDetail[]
}

/** Checks an artifact against its pinned schema; its bytes are stored before the event that names them. */
export async function judge(
  session: Session,
  turn: number,
  artifact: string,
  proposed: Proposed,
): Promise<Judged> {
  const { deps, place, definition, progress, node, at } = session
  // Items of a map make each their own.
  const name = artifact + itemMarks(node, at.position)
  if ('unreadable' in proposed)
    return rejected(session, turn, name, [{ path: '', message: proposed.unreadable }], [])
  const form = definition.artifacts[artifact]
  const content = deps.scrub(proposed.content)
  const isText = form?.kind !== undefined && typeof content === 'string'
  const text = isText ? content : JSON.stringify(content)
  const hash = await putBlob(deps.pool, place.runId, text)
  const bytes = Buffer.byteLength(text)
  const lines = [
    eventAt(place, 'artifact.proposed', `proposed/${hash.slice(0, 16)}`, { name, sha256: hash, bytes }, turn),
  ]
  const errors = checkArtifact(definition, artifact, isText ? text : JSON.parse(text))
  if (errors.length > 0) return rejected(session, turn, name, errors, lines)
  const view = viewOf({ pool: deps.pool, progress, definition }, node, at.position)
  const version = ((await artifactsSeen(view, [artifact])).get(artifact)?.version ?? 0) + 1
  const mediaType = MEDIA_TYPES[form?.kind ?? 'json']
  const accepted = { name, version, sha256: hash, mediaType, bytes }
  lines.push(eventAt(place, 'artifact.accepted', 'accepted', accepted))
  lines.push(eventAt(place, 'phase.completed', 'end', { output: { artifact: name, sha256: hash } }))
  return { accepted: true, lines, said: 'Accepted.', errors: [] }
}

function rejected(
  { place }: Session,
  turn: number,
  name: string,
  errors: ErrorDetail[],
  before: EventLine[],
): Judged {
  const list = errors
    .map(({ path, message }) => `- ${path === '' ? '(the whole)' : path}: ${message}`)
    .join('\n')
  const said = `The artifact "${nameIn(name)}" was rejected. Correct exactly these errors and call complete again:\n${list}`
  return {
    accepted: false,
    said,
    errors,
    lines: [...before, eventAt(place, 'artifact.rejected', 'rejected', { name, errors }, turn)],
  }
}

/** Fails the phase for good: the errors of its last artifact are on record. */
export function artifactInvalid(name: string, errors: ErrorDetail[]): DevflowError {
  return new DevflowError(
    'INVALID',
    'artifact_invalid',
    `The artifact "${name}" did not satisfy its schema after ${MOST_REPAIRS} repair.`,
    { errors },
  )
}
