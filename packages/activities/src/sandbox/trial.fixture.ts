import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Sandbox } from './index.ts'

/** Runs shell scripts, each in the same working directory, as the user this program runs as; prints what became of them. */
const sandbox = await Sandbox.open({ path: process.env.PATH ?? '', limits: { timeoutMs: 10_000 } })
const root = await mkdtemp(join(tmpdir(), 'devflow-trial-'))
await mkdir(join(root, '.git'))
const said: string[] = []
for (const script of process.argv.slice(2)) {
  const { signal } = new AbortController()
  const { stdout, stderr } = await sandbox.run({ argv: ['sh', '-c', script], root, signal })
  said.push(stdout.text() + stderr.text())
}
const { uid, mode } = await stat(join(root, 'closed')).catch(() => ({ uid: -1, mode: 0 }))
await rm(root, { recursive: true, force: true })
process.stdout.write(
  JSON.stringify({ confinement: sandbox.confinement, said, closed: { uid, mode: mode & 0o777 } }),
)
