import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type CommandOptions, runCommand } from '../support/command-line.ts'

export interface KeysHome {
  readonly folder: string
  /** Commands find this home by it, and no keyring. */
  readonly env: Record<string, string>
  /** Where the note of a provider's key is. */
  note(provider: string): string
  run(args: string, options?: Pick<CommandOptions, 'stdin' | 'env' | 'cwd'>): ReturnType<typeof runCommand>
}

/** A home for kept keys that goes with the test: neither those of the developer nor their keyring are touched. */
export async function keysHome(): Promise<KeysHome> {
  const folder = await mkdtemp(join(tmpdir(), 'devflow-keys-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
  const env = { HOME: folder, XDG_CONFIG_HOME: join(folder, 'settings'), DEVFLOW_KEYRING: 'off' }
  return {
    folder,
    env,
    note: (provider) => join(env.XDG_CONFIG_HOME, 'devflow', 'keys', `${provider}.json`),
    run: (args, options) => runCommand(args.split(' '), { ...options, env: { ...env, ...options?.env } }),
  }
}
