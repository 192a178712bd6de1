import { existsSync } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { History } from '@temporalio/common/lib/proto-utils.js'
import { bundleWorkflowCode, Runtime, Worker } from '@temporalio/worker'
import { inject } from 'vitest'

const ENTRY = fileURLToPath(import.meta.resolve('@devflow/workflows'))

const ignore = () => {}
const quiet = { log: ignore, trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore }
let isQuiet = false
let real: Promise<string> | undefined

/** Temporal's `WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND`. */
const FORCE_CLOSED = 17

/**
 * Whether Temporal has closed a workflow task that its worker was still at: because it took too long, or because more than a
 * hundred signals came meanwhile. The SDK goes on with what it has in memory, where a replay sees two tasks as one, and may
 * differ. Such a run is given a new execution (`unlike-build.test.ts`).
 */
export const wasCutInTwo = ({ events }: History): boolean =>
  events?.some(
    ({ workflowTaskTimedOutEventAttributes: timedOut, workflowTaskFailedEventAttributes: failed }) =>
      timedOut || failed?.cause === FORCE_CLOSED,
  ) ?? false

/** The code of a bundle of the real workflows, made once in a run of the tests, or of another entry. */
export async function workflowCode(entry?: string): Promise<string> {
  if (entry !== undefined) return await bundle(entry)
  real ??= realCode()
  return await real
}

/** Bundling takes a second or two, and a hundred test files want it: the first to do so keeps it for the others. */
async function realCode(): Promise<string> {
  const kept = join(inject('runFolder'), 'workflows.js')
  if (existsSync(kept)) return await readFile(kept, 'utf8')
  const code = await bundle(ENTRY)
  // Whole or not at all: another file may be at it.
  const draft = `${kept}.${process.pid}`
  await writeFile(draft, code)
  await rename(draft, kept)
  return code
}

async function bundle(workflowsPath: string): Promise<string> {
  const { code } = await bundleWorkflowCode({ workflowsPath, logger: quiet })
  return code
}

/** Replays histories against a bundle, the real one unless told; what went wrong, by workflow id. */
export async function replay(
  histories: readonly { workflowId: string; history: History }[],
  code?: string,
): Promise<Record<string, string>> {
  // What a replay has to say is in its result.
  if (!isQuiet)
    Runtime.install({
      logger: quiet,
      shutdownSignals: [],
      telemetryOptions: { logging: { forward: {}, filter: { core: 'ERROR', other: 'ERROR' } } },
    })
  isQuiet = true
  const options = { workflowBundle: { code: code ?? (await workflowCode()) } }
  const failures: Record<string, string> = {}
  for await (const { workflowId, error } of Worker.runReplayHistories(options, histories)) {
    if (error) failures[workflowId] = error.message
  }
  return failures
}
