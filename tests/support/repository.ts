import { execFile } from 'node:child_process'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A small repository with one commit, in a folder of its own that the caller removes. */
export async function smallRepository(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'devflow-repo-'))
  await writeFile(join(root, 'README.md'), '# Adder\n\nAdds two numbers. See `add.js`.\n')
  await writeFile(join(root, 'add.js'), 'export const add = (a, b) => a + b // TODO: check the arguments\n')
  const git = (...args: string[]) =>
    run('git', ['-c', 'user.name=Test', '-c', 'user.email=test@example.com', ...args], { cwd: root })
  await git('init', '-q', '-b', 'main')
  await git('add', '.')
  await git('commit', '-qm', 'Add two numbers')
  return root
}
