import { type PhaseProgress, patiently, phasesById, readDecisions } from '@devflow/db'
import { artifactsSeen, contentsOf, outerId, type View } from '../scope/index.ts'
import type { Session } from './session.ts'

/**
 * What an agent phase is told when a gate has sent the run back to it: who wants what otherwise, and what it made before.
 * Nothing in the first round.
 */
export async function sentBackFor(session: Session, view: View): Promise<string[]> {
  const { deps, place, node, at, agent } = session
  const back = [at, ...(await phasesAround(session, view))].find(
    ({ sentBack }) => sentBack?.for === node.name,
  )?.sentBack
  if (!back) return []
  const decisions = await patiently(() => readDecisions(deps.pool, place.runId, back.gate, back.attempt))
  const comments = decisions
    .filter(({ decision }) => decision !== 'approve')
    .map(({ actor, decision, comment }) => {
      const said = comment?.trim() || '(no comment)'
      return `<comment by="${actor}" decision="${decision}">\n${said}\n</comment>`
    })
  return [
    [
      `<changes-requested gate="${back.gate}" round="${back.round}">`,
      'You have done this task before, and what came of it was not accepted. Do it again, and heed every comment here.',
      ...comments,
      '</changes-requested>',
    ].join('\n'),
    ...(agent.produces === undefined ? [] : await artifactBefore(view, agent.produces)),
  ]
}

/** The innermost first. */
async function phasesAround({ deps, place }: Session, view: View): Promise<PhaseProgress[]> {
  const ids = view.around.map((_, level) => outerId(view, level))
  if (ids.length === 0) return []
  return (await patiently(() => phasesById(deps.pool, place.runId, ids))).reverse()
}

async function artifactBefore(view: View, name: string): Promise<string[]> {
  const seen = await artifactsSeen(view, [name])
  const { [name]: value } = await contentsOf(view, seen)
  const found = seen.get(name)
  if (!found) return []
  const content = typeof value === 'string' ? value : JSON.stringify(value, null, 2)
  return [`<artifact name="${name}" sha256="${found.sha256}" made="by you, before">\n${content}\n</artifact>`]
}
