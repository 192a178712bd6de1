import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { DevflowError } from '@devflow/contracts'
import { findOnPath, isExecutable } from './find-on-path.ts'
import { buildTemporal, downloadTemporal, type ObtainOptions } from './temporal-obtain.ts'

/** The newest CLI that `go install` can build; it holds server 1.29.1 and UI 2.42.1. */
const TEMPORAL_CLI = '1.5.1'

export interface TemporalProgram {
  readonly path: string
  /** The server inside, as in `1.29.1`: it, not the CLI, decides what a store looks like. */
  readonly version: string
}

/** One way to come by the program. `undefined`: this way does not exist here. */
type Way = (options: ObtainOptions) => Promise<string | undefined> | string | undefined

const WAYS: readonly Way[] = [
  ({ env }) => findOnPath('temporal', env.PATH ?? ''),
  ({ cacheDir }) => [cachedPath(cacheDir)].find(isExecutable),
  (options) => downloadTemporal(TEMPORAL_CLI, cachedPath(options.cacheDir), options),
  (options) => buildTemporal(TEMPORAL_CLI, cachedPath(options.cacheDir), options),
]

/** Finds the `temporal` CLI, or obtains it once. Throws `UNAVAILABLE no_temporal`, which lists the ways. */
export async function obtainTemporal(options: ObtainOptions): Promise<TemporalProgram> {
  const problems: string[] = []
  for (const way of WAYS) {
    try {
      const path = await way(options)
      if (path !== undefined && existsSync(path)) return { path, version: await serverVersion(path) }
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error))
    }
  }
  throw new DevflowError(
    'UNAVAILABLE',
    'no_temporal',
    [
      'there is no Temporal server here and no way to get one. Any of these helps:',
      '- set TEMPORAL_ADDRESS to a running server, as in TEMPORAL_ADDRESS=127.0.0.1:7233',
      '- install the temporal CLI so that it is on PATH: https://docs.temporal.io/cli',
      `- put its program at ${cachedPath(options.cacheDir)}`,
      '- let this machine reach https://temporal.download',
      `- install Go (https://go.dev/dl): devflow then builds the CLI, once, in about 4 minutes`,
      ...problems.map((problem) => `(${problem})`),
    ].join('\n'),
  )
}

function cachedPath(cacheDir: string): string {
  return join(
    cacheDir,
    `temporal-${TEMPORAL_CLI}`,
    process.platform === 'win32' ? 'temporal.exe' : 'temporal',
  )
}

/** A CLI built by Go calls itself 0.0.0-DEV; the server's version in brackets is right in every build. */
async function serverVersion(path: string): Promise<string> {
  const { stdout } = await promisify(execFile)(path, ['--version'], { timeout: 20_000 })
  const version = /Server (\d[^,)\s]*)/.exec(stdout)?.[1]
  if (version === undefined)
    throw new Error(`${path} --version says "${stdout.trim()}", which names no server`)
  return version
}
