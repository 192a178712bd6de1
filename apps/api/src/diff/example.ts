import type { RunDiff } from '@devflow/contracts'
import { QUEUED, RUN } from '../examples.ts'

const { id, template, definitionHash, createdAt } = RUN
const run = { id, template, definitionHash, attempt: 1, createdAt }
const spec = { status: 'completed', attempts: 1 } as const

/** A run, and its fork with another persona and input. */
export const DIFF: RunDiff = {
  same: false,
  a: { ...run, status: 'failed', inputTokens: 5210, outputTokens: 1804, costMicroUsd: 8451.25 },
  b: {
    ...{ ...run, id: '01985f30-1b2c-7d3e-8f40-5162738495a6', forkedFrom: id },
    definitionHash: QUEUED.definitionHash.replace(/^./, 'e'),
    ...{ status: 'completed', inputTokens: 2105, outputTokens: 640, costMicroUsd: 3120.5, latencyMs: 21804 },
  },
  input: {
    changes: [
      {
        path: 'request',
        change: 'changed',
        a: 'Describe the migrations',
        b: 'Describe the migrations, briefly',
      },
    ],
  },
  definition: {
    bindings: [{ role: 'reviewer', a: 'openrouter-reviewer@1', b: 'fake-reviewer@1' }],
    parts: [],
  },
  phases: [
    {
      id: 'spec',
      kind: 'agent',
      a: { ...spec, inputTokens: 3105, outputTokens: 1164, costMicroUsd: 5330.75, latencyMs: 14210 },
      b: { ...spec, reused: true, inputTokens: 0, outputTokens: 0, costMicroUsd: 0, latencyMs: 0 },
    },
  ],
  artifacts: [
    {
      name: 'findings',
      change: 'added',
      b: {
        version: 1,
        sha256: 'b3a8e0e1f9ab1bfe3a36f231f676f78bb30a519d2b21e6c530c0eee8ebb4a5d0',
        mediaType: 'application/json',
        bytes: 812,
      },
    },
  ],
  output: { changes: [] },
}
