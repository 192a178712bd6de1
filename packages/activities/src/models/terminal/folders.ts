import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Terminal } from './tmux.ts'

const PREFIX = 'devflow-terminal-'

/** A folder for one call, with who owns it. */
export async function openFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), PREFIX))
  await writeFile(join(folder, 'owner'), `${hostname()} ${process.pid}`)
  return folder
}

/** Ends what workers have left that died in the middle of a call: a tmux server outlives who started it. */
export async function sweepFolders(env: Readonly<Record<string, string>>): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(PREFIX)) continue
    const folder = join(tmpdir(), name)
    const [host, pid] = (await readFile(join(folder, 'owner'), 'utf8').catch(() => '')).split(' ')
    // Without an owner it is being made just now; one of another machine or container cannot be looked for.
    if (host !== hostname() || isAlive(Number(pid))) continue
    await new Terminal(folder, env).end()
    await rm(folder, { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Somebody else's process is one too.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
