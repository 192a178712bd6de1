import { fileURLToPath } from 'node:url'
import type { History } from '@temporalio/common/lib/proto-utils.js'
import { bundleWorkflowCode, Runtime, Worker } from '@temporalio/worker'

const ENTRY = fileURLToPath(import.meta.resolve('@devflow/workflows'))

const ignore = () => {}
const quiet = { log: ignore, trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore }
let isQuiet = false
const bundles = new Map<string, Promise<string>>()

/** The code of a bundle of the real workflows, or of another entry; made once. */
export async function workflowCode(entry: string = ENTRY): Promise<string> {
  const known = bundles.get(entry)
  if (known) return await known
  const made = bundleWorkflowCode({ workflowsPath: entry, logger: quiet }).then(({ code }) => code)
  bundles.set(entry, made)
  return await made
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
