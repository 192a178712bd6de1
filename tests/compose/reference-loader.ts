import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const VERSION = '2.16.2'
const run = promisify(execFile)

/** The loader that Docker Compose itself reads files by, built with Go into the cache folder; or why there is none. */
export async function referenceLoader(cache: string): Promise<{ path: string } | { missing: string }> {
  const folder = join(cache, `compose-go-${VERSION}`)
  const path = join(folder, 'cmd')
  if (existsSync(path)) return { path }
  try {
    const env = { ...process.env, GOBIN: folder, GOFLAGS: '-mod=mod' }
    await run('go', ['install', `github.com/compose-spec/compose-go/v2/cmd@v${VERSION}`], { env })
    return { path }
  } catch (error) {
    const said = error instanceof Error ? error.message.slice(0, 300) : String(error)
    return {
      missing: `docker-compose.yml is not read by the reference loader here: no Go, or off line (${said})`,
    }
  }
}

/** What the loader says is wrong with a file in a folder; undefined when it takes it. */
export async function refusalOf(path: string, folder: string, file: string): Promise<string | undefined> {
  try {
    await run(path, [file], { cwd: folder })
    return undefined
  } catch (error) {
    return error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error)
  }
}
