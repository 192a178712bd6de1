import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { type DevflowClient, DevflowError, type SubmitRun } from '@devflow/client'
import { isOver } from '@devflow/contracts'

const KEY = 'sample'

const OFFLINE = {
  'spec-writer': 'offline-spec-writer@1',
  reviewer: 'offline-code-reviewer@1',
  verifier: 'offline-verifier@1',
}

export const isEmpty = async (client: DevflowClient): Promise<boolean> =>
  (await client.runs.list({ limit: 1 })).items.length === 0

/** Submits the sample run, on the repository at `cwd` when it is one; without a model key its roles are played offline. */
export async function submitSample(
  client: DevflowClient,
  cwd: string,
  hasModelKey: boolean,
): Promise<string> {
  const body: SubmitRun = {
    template: 'spec-and-review@1',
    input: { request: 'Describe this repository and how to verify a change' },
    ...(hasModelKey ? {} : { bindings: OFFLINE }),
    ...((await isRepository(cwd)) ? { workspace: { repo: cwd } } : {}),
    labels: { sample: 'true' },
  }
  const submit = (idempotencyKey: string) => client.runs.submit(body, { idempotencyKey })
  try {
    const run = await submit(KEY)
    // An earlier start's sample that is still under way is taken up; one that is over is not a new run.
    const { status } = await client.runs.get(run.id)
    if (!isOver(status)) return run.id
  } catch (error) {
    if (!(error instanceof DevflowError && error.code === 'idempotency_key_reused')) throw error
  }
  return (await submit(`${KEY}-${Date.now()}`)).id
}

/** Only a folder with a commit can be cloned. */
async function isRepository(folder: string): Promise<boolean> {
  try {
    await promisify(execFile)('git', ['-C', folder, 'rev-parse', '--verify', '--quiet', 'HEAD'])
    return true
  } catch {
    // No git, no repository or no commit yet: the sample runs without a workspace.
    return false
  }
}
