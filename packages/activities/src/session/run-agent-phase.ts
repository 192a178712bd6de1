import { DevflowError, type SessionEnd, sessionKey } from '@devflow/contracts'
import { openAttempt, type PhaseProgress, type Progress, patiently } from '@devflow/db'
import { nameIn } from '@devflow/definition'
import type { Deps } from '../deps.ts'
import type { Servers } from '../mcp/index.ts'
import { promptFor } from '../prompt.ts'
import { artifactsSeen, nodeNamed, scopeOf, viewOf } from '../scope/index.ts'
import { timeoutTimer } from '../time-left.ts'
import { builtTools, toolSpecs } from '../tools/index.ts'
import { completeSpec, fileOf } from './artifact-form.ts'
import { type DeliveryEnd, FENCED } from './delivery-end.ts'
import { fail, stopped } from './ends.ts'
import { heal } from './heal.ts'
import { runLoop } from './loop.ts'
import { eventAt, type Place } from './place.ts'
import { sentBackFor } from './sent-back.ts'
import { isFenced, Session } from './session.ts'
import { openSessionServers } from './session-servers.ts'
import { closeSessionWorkspace, openSessionWorkspace } from './session-workspace.ts'
import type { Stop } from './stop.ts'
import { depthFor } from './subagents/narrow.ts'
import { runSubagent } from './subagents/run.ts'
import { askableBy, REQUEST_SUBAGENT, requestSpec } from './subagents/spec.ts'
import { transcriptOf } from './transcript.ts'

/** One delivery of an agent phase: from wherever the log stands to the phase's end. */
export async function deliverAgent(
  deps: Deps,
  place: Place,
  stop: Stop,
  onlyNew: boolean,
): Promise<DeliveryEnd> {
  const opened = await patiently(() => openAttempt(deps.pool, place.runId, place, { onlyNew }))
  if (!opened) return FENCED
  const { epoch, progress, at, events } = opened
  if (progress.control === 'canceled') return { ended: 'stopped', why: 'canceled' }
  const transcript = transcriptOf(events)
  if (transcript.ended) return { ended: transcript.ended }

  const session = await sessionFor(deps, place, stop, epoch, { progress, at }).catch((error: unknown) =>
    failEarly(deps, place, epoch, error),
  )
  if (!(session instanceof Session)) return session
  const timer = timeoutTimer(session, stop)
  let servers: Servers | undefined
  try {
    await heal(session, transcript)
    const opened = await openSessionWorkspace(session)
    const placed = opened ? new Session({ ...session, ...opened }) : session
    servers = await openSessionServers(placed)
    const tools = [...placed.tools, ...(servers?.specs ?? [])]
    const ready = servers ? new Session({ ...placed, tools, servers }) : placed
    const prompt = transcript.messages.length > 0 ? [] : await promptOf(ready)
    return await runLoop(ready, transcript, prompt)
  } catch (error) {
    if (stop.reason) return await stopped(session)
    // An expected failure is the user's to see; anything else is Temporal's to retry.
    if (error instanceof DevflowError && error.kind !== 'UNAVAILABLE') return await fail(session, error)
    throw error
  } finally {
    clearTimeout(timer)
    await servers?.close()
    if (progress.workspace) await closeSessionWorkspace(session)
  }
}

/** A phase that cannot even begin, as when nobody here speaks to its provider: on record like any other failure. */
async function failEarly(deps: Deps, place: Place, epoch: number, error: unknown): Promise<SessionEnd> {
  if (!(error instanceof DevflowError)) throw error
  const start = eventAt(place, 'phase.started', 'start', { kind: 'agent' })
  const end = eventAt(place, 'phase.failed', 'end', { error: deps.scrub(error.record) })
  const session = { id: sessionKey(place), epoch }
  const answer = await deps.writer.append({ run: place.runId, session, lines: [start, end] })
  return isFenced(answer) ? FENCED : { ended: 'failed' }
}

async function sessionFor(
  deps: Deps,
  place: Place,
  stop: Stop,
  epoch: number,
  { progress, at }: { progress: Progress; at: PhaseProgress },
): Promise<Session> {
  const { definition } = await deps.definitions.get(progress.definitionHash)
  const node = nodeNamed(definition, nameIn(place.phase))
  if (!node || !('agent' in node.phase))
    throw new DevflowError('INTERNAL', 'unknown_step', `There is no agent phase ${place.phase} in this run.`)
  const { agent } = node.phase
  const persona = definition.roles[agent.role]
  if (!persona) throw new DevflowError('INTERNAL', 'unknown_role', `No persona plays ${agent.role}.`)
  const adapter = deps.adapters[persona.model.provider]
  if (!adapter)
    throw new DevflowError(
      'INVALID',
      'unknown_provider',
      `This worker has no adapter for the provider ${persona.model.provider}.`,
    )
  const offered = builtTools(agent.tools ?? persona.tools).filter((tool) => tool !== 'complete')
  const form = agent.produces === undefined ? undefined : definition.artifacts[agent.produces]
  const file = progress.workspace && offered.includes('write_file') ? form?.path : undefined
  const asks = (agent.tools ?? persona.tools).includes(REQUEST_SUBAGENT)
  const tools = [
    ...toolSpecs(offered),
    ...(asks ? [requestSpec(askableBy(definition, persona))] : []),
    ...(form ? [completeSpec(form, file)] : []),
  ]
  return new Session({
    deps,
    place,
    epoch,
    stop,
    progress,
    definition,
    node,
    at,
    agent,
    persona,
    adapter,
    tools,
    root: undefined,
    commit: undefined,
    files: undefined,
    servers: undefined,
    depthLeft: depthFor(persona),
    asked: undefined,
    runSubagent,
  })
}

async function promptOf(session: Session) {
  const { deps, progress, definition, persona, agent, node, at } = session
  const view = viewOf({ pool: deps.pool, progress, definition }, node, at.position)
  const scope = await scopeOf(view, [agent.prompt, agent.inputs?.length ? 'artifacts' : ''])
  const seen = await artifactsSeen(view, agent.inputs ?? [])
  const hashes = new Map([...seen].map(([name, { sha256 }]) => [name, sha256]))
  const before = await sentBackFor(session, view)
  return deps.scrub(promptFor(definition, persona, agent, scope, hashes, fileOf(session), before))
}
