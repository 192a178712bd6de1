import { z } from 'zod'
import { SubmitRun } from './commands.ts'
import { Budget } from './entries.ts'
import { ErrorDetail, ErrorRecord } from './errors.ts'
import { GateDecision, GateStatus, SubjectItem } from './gates.ts'
import { PhaseStatus, RunError, Usage } from './runs.ts'

export const REPORT_FORMAT = 1

const time = z.iso.datetime()

/** What was spent on one model, by one persona. */
export const ReportModel = z.object({
  persona: z.string(),
  provider: z.string(),
  model: z.string().describe('as the provider names what it used, else as it was asked for'),
  calls: z.int(),
  inputTokens: z.int(),
  outputTokens: z.int(),
  costMicroUsd: z.number(),
  unsettledMicroUsd: z.number().describe('reserved for calls whose cost is not known yet'),
})
export type ReportModel = z.infer<typeof ReportModel>

const ReportGate = z.object({
  status: GateStatus,
  title: z.string(),
  subject: z.array(SubjectItem),
  quorum: z.int(),
  decisions: z
    .array(
      GateDecision.extend({
        via: z.string().describe('api, temporal'),
        attempt: z.int().describe('of the phase: a gate opened again is decided again'),
      }),
    )
    .describe('of all attempts, in order'),
  openedAt: time,
  closedAt: time.optional(),
  closedBy: z.string().optional().describe('decision, deadline, or end of run'),
  escalatedAt: time.optional(),
  openings: z
    .array(
      z.object({
        attempt: z.int(),
        subject: z.array(SubjectItem),
        openedAt: time,
        closedAt: time.optional(),
        outcome: z.string().optional().describe('changes_requested, or its status'),
        goto: z.string().optional().describe('the phase that the run went back to'),
      }),
    )
    .optional()
    .describe('of a gate that opened more than once, in order'),
  delegations: z
    .array(z.object({ from: z.string(), to: z.string(), attempt: z.int(), at: time }))
    .optional()
    .describe('who decided in whose place'),
})

export const ReportPhase = z.object({
  id: z.string(),
  title: z.string().optional(),
  kind: z.string(),
  reused: z.boolean().optional().describe('taken over from the run this one was forked from'),
  status: PhaseStatus.describe('when the report was written; `pending`: not reached'),
  attempts: z.int().describe('0 where it has not begun'),
  startedAt: time.optional().describe('of its first attempt'),
  endedAt: time.optional(),
  when: z.string().optional().describe('the condition that did not hold, of a skipped phase'),
  persona: z.string().optional(),
  model: z.string().optional(),
  models: z.array(ReportModel),
  turns: z.int(),
  toolCalls: z.int(),
  toolsDenied: z.int(),
  unsandboxed: z.int().optional().describe('commands that ran without a sandbox'),
  takenOver: z.int().describe('how often another worker went on with it'),
  repairs: z.int().describe('answers that did not fit and were sent back to the model'),
  rejections: z
    .array(z.object({ attempt: z.int(), turn: z.int(), errors: z.array(ErrorDetail) }))
    .describe('what was wrong with answers, the first 50'),
  failures: z
    .array(z.object({ attempt: z.int(), error: ErrorRecord, at: time }))
    .describe('of all attempts, the last too; the first 50'),
  costMicroUsd: z.number(),
  unsettledMicroUsd: z.number(),
  error: ErrorRecord.optional(),
  artifact: z
    .object({ name: z.string(), version: z.int(), sha256: z.string(), bytes: z.int(), content: z.json() })
    .optional(),
  output: z.json().optional().describe('of a phase without an artifact: its text, or the data of a signal'),
  gate: ReportGate.optional(),
})
export type ReportPhase = z.infer<typeof ReportPhase>

/** What a run changed in the files of its repository: offered, and pushed nowhere. */
export const ReportChanges = z.object({
  branch: z.string().describe('the name of the branch in the bundle'),
  commit: z.string(),
  base: z.string().optional().describe('the commit of the repository it builds on'),
  files: z.int(),
  insertions: z.int(),
  deletions: z.int(),
  artifacts: z
    .array(z.object({ name: z.string(), version: z.int(), sha256: z.string(), bytes: z.int() }))
    .describe('changes.bundle, to fetch from, and changes.diff'),
  problem: z.string().optional().describe('why the artifacts could not be made'),
})

/** Something a person can do now. */
export const ReportNext = z.object({
  action: z.enum(['retry', 'submit', 'change']),
  text: z.string(),
  cli: z.string().optional(),
  http: z.string().optional(),
})
export type ReportNext = z.infer<typeof ReportNext>

/** What a run did, by whom, with what money: written at the end of each of its rounds, as JSON and Markdown. */
export const Report = z.object({
  format: z.literal(REPORT_FORMAT),
  runId: z.string(),
  template: z.string(),
  title: z.string(),
  definitionHash: z.string(),
  outcome: z.enum(['completed', 'failed', 'canceled']),
  attempt: z.int().describe('the round: a retried run has a report of each'),
  labels: z.record(z.string(), z.string()),
  input: z.json(),
  output: z.json().optional(),
  error: RunError.optional(),
  failedPhase: z.string().optional(),
  canceled: z
    .object({ actor: z.string(), reason: z.string().optional(), via: z.string().optional(), at: time })
    .optional(),
  fork: z
    .object({
      run: z.string(),
      fromPhase: z.string().describe('where it began'),
      reused: z.array(z.string()).describe('top-level phases it took over'),
      paidMicroUsd: z.number().describe('what their calls cost where they were made'),
    })
    .optional()
    .describe('of a forked run: what it took over, at no cost'),
  actor: z.string(),
  createdAt: time,
  endedAt: time,
  latencyMs: z.number(),
  usage: Usage.extend({ calls: z.int() }),
  budget: Budget,
  models: z.array(ReportModel),
  retries: z
    .array(
      z.object({
        attempt: z.int(),
        actor: z.string(),
        reason: z.string().optional(),
        phase: z.string().optional(),
        at: time,
      }),
    )
    .describe('which further rounds were asked for'),
  phases: z.array(ReportPhase),
  compensations: z
    .array(
      z.object({
        phase: z.string(),
        attempt: z.int(),
        function: z.string(),
        status: z.enum(['started', 'completed', 'failed']).describe('`failed`: what could not be undone'),
        tries: z.int(),
        error: ErrorRecord.optional(),
        startedAt: time,
        endedAt: time.optional(),
      }),
    )
    .optional()
    .describe('what was undone after the run failed or was canceled, in that order'),
  changes: ReportChanges.optional(),
  next: z.array(ReportNext).describe('what can be done now; empty when the run completed'),
  reproduce: z.object({
    request: SubmitRun.describe('the body of POST /v1/runs; its `base` is the commit the run worked on'),
    cli: z.string().describe('for a POSIX shell'),
    curl: z.string().describe('for a POSIX shell'),
  }),
})
export type Report = z.infer<typeof Report>

/** The published JSON Schema of a report. Open: further fields may come within a format. */
export function reportSchema(): Record<string, unknown> {
  const made = z.toJSONSchema(Report, {
    io: 'input',
    override: ({ jsonSchema }) => {
      // How zod checks a time, and how far its integers reach, is no promise.
      if (jsonSchema.format === 'date-time') delete jsonSchema.pattern
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties
    },
  })
  // The only recursion is that of any JSON value, which zod spells out.
  const withoutRecursion = (key: string, value: unknown) =>
    key === '$defs' || (key === '$ref' && String(value).startsWith('#/$defs/__')) ? undefined : value
  const { $schema, ...schema } = JSON.parse(JSON.stringify(made), withoutRecursion)
  return { $schema, $id: `urn:devflow:report:${REPORT_FORMAT}`, title: 'Report of a Devflow run', ...schema }
}
