import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { findOnPath } from './find-on-path.ts'

export interface ObtainOptions {
  /** Where downloads and built tools are kept between checkouts. */
  cacheDir: string
  /** The environment to look for `temporal` and `go` in, and to run them with. */
  env: NodeJS.ProcessEnv
  /** Told in plain words what takes long. */
  onProgress(text: string): void
  /** The official download's origin; another one for tests. */
  origin?: string
}

const CONNECT_MS = 10_000
const DOWNLOAD_MS = 900_000
const STILL_MS = 30_000

/** The official build, unpacked by the system's tar to `target`. Rejects when it cannot be reached. */
export async function downloadTemporal(
  version: string,
  target: string,
  { onProgress, env, origin = 'https://temporal.download' }: ObtainOptions,
): Promise<string> {
  const arch = process.arch === 'x64' ? 'amd64' : process.arch
  const url = `${origin}/cli/archive/v${version}?platform=${process.platform}&arch=${arch}`
  onProgress('Looking for the Temporal server at temporal.download …')
  const connecting = new AbortController()
  const timer = setTimeout(() => connecting.abort(), CONNECT_MS)
  const response = await fetch(url, {
    signal: AbortSignal.any([connecting.signal, AbortSignal.timeout(DOWNLOAD_MS)]),
  }).catch((error: unknown) => {
    throw new Error(`temporal.download was not reached: ${reason(error)}`)
  })
  clearTimeout(timer)
  if (!response.ok || !response.body) throw new Error(`temporal.download answered ${response.status}`)
  onProgress('Downloading the Temporal server (about 100 MB, once) …')
  const { body } = response
  return intoPlace(target, async (folder) => {
    const archive = join(folder, 'temporal.tar.gz')
    await pipeline(Readable.fromWeb(body), createWriteStream(archive))
    await call('tar', ['-xzf', archive, '-C', folder, basename(target)], env, folder)
  })
}

/** Builds the CLI with Go. `undefined` where there is no Go. */
export async function buildTemporal(
  version: string,
  target: string,
  { onProgress, env, cacheDir }: ObtainOptions,
): Promise<string | undefined> {
  const go = findOnPath('go', env.PATH ?? '')
  if (go === undefined) return undefined
  onProgress('Building the Temporal server with Go (about 4 minutes, once; it is kept for the next time) …')
  // Without a home Go does not know where to keep its modules.
  const home = env.HOME ? {} : { GOPATH: join(cacheDir, 'go'), GOCACHE: join(cacheDir, 'go-build') }
  return intoPlace(target, async (folder) => {
    const building = { ...env, ...home, GOBIN: folder, CGO_ENABLED: '0', GOFLAGS: '-modcacherw' }
    const started = performance.now()
    const still = () =>
      onProgress(
        `Still building the Temporal server (${Math.round((performance.now() - started) / 1000)} s) …`,
      )
    const timer = setInterval(still, STILL_MS)
    await call(
      go,
      ['install', `github.com/temporalio/cli/cmd/temporal@v${version}`],
      building,
      folder,
    ).finally(() => clearInterval(timer))
  })
}

/** Fills a folder of its own and moves the result to `target` at once: a crash or a second builder leaves no half program. */
async function intoPlace(target: string, fill: (folder: string) => Promise<void>): Promise<string> {
  mkdirSync(dirname(target), { recursive: true })
  const folder = mkdtempSync(join(dirname(target), 'new-'))
  try {
    await fill(folder)
    renameSync(join(folder, basename(target)), target)
    return target
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function call(command: string, args: string[], env: NodeJS.ProcessEnv, cwd: string): Promise<void> {
  const child = spawn(command, args, { env, cwd, stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (text) => {
    said = `${said}${text}`.slice(-1000)
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${basename(command)} failed: ${said.trim()}`)
}

const reason = (error: unknown): string => {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return cause instanceof Error ? cause.message : String(cause)
}
