import type { Report } from '@devflow/contracts'
import { APPROVED, RUN, RUN_ID, SPEC } from './examples.ts'

const spent = {
  persona: 'spec-writer@1',
  provider: 'openrouter',
  model: 'anthropic/claude-sonnet-4.5',
  calls: 1,
  inputTokens: 24364,
  outputTokens: 1846,
  costMicroUsd: 4812.51,
  unsettledMicroUsd: 0,
}
const nothing = {
  models: [],
  turns: 0,
  toolCalls: 0,
  toolsDenied: 0,
  takenOver: 0,
  repairs: 0,
  rejections: [],
  failures: [],
  costMicroUsd: 0,
  unsettledMicroUsd: 0,
}
const request = { template: 'spec-and-review@1', input: RUN.input, labels: RUN.labels }
const { subject, quorum, openedAt, closedAt, title } = APPROVED

/** The report of the run of the other examples, shortened to its first two phases. */
export const REPORT: Report = {
  format: 1,
  runId: RUN_ID,
  template: 'spec-and-review@1',
  title: 'Write a spec, review it, verify it',
  definitionHash: RUN.definitionHash,
  outcome: 'completed',
  attempt: 1,
  labels: RUN.labels,
  input: RUN.input,
  output: { holds: true },
  actor: 'owner',
  createdAt: RUN.createdAt,
  endedAt: '2026-11-21T08:07:41.002Z',
  latencyMs: 157379,
  usage: { ...RUN.usage, calls: 1 },
  budget: { limitMicroUsd: 500000, onExceeded: 'prompt' },
  models: [spent],
  retries: [],
  phases: [
    {
      ...nothing,
      id: 'spec',
      kind: 'agent',
      status: 'completed',
      attempts: 1,
      startedAt: '2026-11-21T08:05:04.089Z',
      endedAt: '2026-11-21T08:05:04.475Z',
      persona: spent.persona,
      model: spent.model,
      models: [spent],
      turns: 1,
      toolCalls: 1,
      costMicroUsd: spent.costMicroUsd,
      artifact: { name: 'spec', version: 1, sha256: SPEC, bytes: 1830, content: { title: 'Migrations' } },
    },
    {
      ...nothing,
      id: 'approve',
      kind: 'gate',
      status: 'completed',
      attempts: 1,
      startedAt: openedAt,
      endedAt: closedAt,
      gate: {
        status: 'approved',
        title,
        subject,
        quorum,
        decisions: APPROVED.decisions.map((decision) => ({ ...decision, via: 'api', attempt: 1 })),
        openedAt,
        closedAt,
        closedBy: 'decision',
      },
    },
  ],
  next: [],
  reproduce: {
    request,
    cli: `devflow run spec-and-review@1 --input '${JSON.stringify(RUN.input)}'`,
    curl: `curl -s http://127.0.0.1:8787/v1/runs -H 'Content-Type: application/json' -d '${JSON.stringify(request)}'`,
  },
}
