import { Call, Gate, PhaseView, Problem, Report, Run, RunEvent } from '@devflow/contracts'
import { z } from 'zod'

/** What operations answer, under the names these have in the OpenAPI document. */
const named = <Shape extends z.ZodRawShape>(id: string, shape: Shape) => z.object(shape).meta({ id })

/** Every list. */
const pageOf = (id: string, item: z.ZodType) =>
  named(id, { items: z.array(item), nextCursor: z.string().optional() })

export const ProblemBody = named('Problem', Problem.shape)

export const RunBody = named('Run', Run.shape)
export const RunPage = pageOf('RunPage', RunBody)
export const PhasePage = pageOf('PhasePage', named('Phase', PhaseView.shape))

export const EventPage = named('EventPage', {
  items: z.array(named('RunEvent', RunEvent.shape)),
  nextAfter: z.int(),
  done: z.boolean(),
})

export const GateBody = named('Gate', Gate.shape)
export const GatePage = pageOf('GatePage', GateBody)

export const SignalAccepted = named('SignalAccepted', {
  runId: z.string(),
  name: z.string(),
  id: z.string(),
  duplicate: z.boolean(),
})

export const ArtifactPage = pageOf(
  'ArtifactPage',
  named('Artifact', {
    name: z.string(),
    version: z.int(),
    sha256: z.string(),
    mediaType: z.string(),
    bytes: z.int(),
    phase: z.string().optional(),
    attempt: z.int().optional(),
    at: z.iso.datetime(),
  }),
)

export const ReportBody = named('Report', Report.shape)

export const CallPage = pageOf('CallPage', named('Call', Call.shape))

export const AuditPage = pageOf(
  'AuditPage',
  named('AuditItem', {
    seq: z.int(),
    tool: z.string(),
    args: z.json(),
    decision: z.enum(['allowed', 'denied']),
    phase: z.string().optional(),
    attempt: z.int().optional(),
    turn: z.int().optional(),
    exitCode: z.int().optional(),
    bytes: z.int().optional(),
    at: z.iso.datetime(),
  }),
)
