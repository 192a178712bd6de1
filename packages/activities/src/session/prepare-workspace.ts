import { randomUUID } from 'node:crypto'
import { DevflowError } from '@devflow/contracts'
import type { CommandResult } from '../sandbox/index.ts'
import { closeWorkspace, type OpenWorkspace, type WorkspaceOwner } from '../workspace/index.ts'
import { putSetup, setUp } from '../workspace/setup.ts'
import { eventAt } from './place.ts'
import type { Session } from './session.ts'

const TIMEOUT_MS = 15 * 60_000
const SHOWN_CHARACTERS = 2_000

/**
 * Makes a clone ready by the setup of the run's workspace, if it has one. Throws PERMISSION_DENIED `sandbox_unavailable`
 * where commands may not be run, INVALID `setup_failed` with what the command said last.
 */
export async function prepare(
  session: Session,
  opened: OpenWorkspace,
  open: (owner: WorkspaceOwner) => Promise<OpenWorkspace>,
): Promise<void> {
  const { deps, place, progress, epoch, stop } = session
  const { repo, setup } = progress.workspace ?? {}
  if (repo === undefined || setup === undefined) return
  const { confinement } = deps.sandbox
  if (confinement.kind === 'unavailable')
    throw new DevflowError(
      'PERMISSION_DENIED',
      'sandbox_unavailable',
      `The setup of the workspace cannot be run here, for lack of a sandbox: ${confinement.reason}. Install bubblewrap, or start with --unsandboxed-commands.`,
    )
  const { dataDir } = deps
  const { runId, phase, attempt } = place
  const apart = { dataDir, runId, phase: `.setup-${randomUUID()}-${phase}`, attempt, epoch }
  const started = performance.now()
  try {
    const made = await setUp({
      dataDir,
      repo,
      commands: setup,
      open: () => open(apart),
      run: async (argv, root) => {
        const signal = stop.signal
        failed(argv, await deps.sandbox.run({ argv, root, signal, network: true, timeoutMs: TIMEOUT_MS }))
      },
    })
    await putSetup(made, opened)
    const ms = Math.round(performance.now() - started)
    const data = { setup, cached: made.isCached, ms }
    await session.append([eventAt(place, 'workspace.prepared', `prepared/${epoch}`, deps.scrub(data))])
  } finally {
    await closeWorkspace(apart)
  }
}

/** Throws when a command did not succeed. */
function failed(argv: readonly string[], { end, stdout, stderr }: CommandResult): void {
  if (end.by === 'exit' && end.exitCode === 0) return
  const how =
    end.by === 'exit'
      ? `exited with ${end.exitCode}`
      : end.by === 'signal'
        ? `was ended by ${end.signal}`
        : `went over its limit of ${end.limit}`
  const said = `${stderr.text().trim() || stdout.text().trim()}`.slice(-SHOWN_CHARACTERS)
  throw new DevflowError(
    'INVALID',
    'setup_failed',
    `The setup of the workspace failed: ${argv.join(' ')} ${how}${said === '' ? '.' : `:\n${said}`}`,
  )
}
