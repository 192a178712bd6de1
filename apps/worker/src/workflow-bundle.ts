import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleWorkflowCode } from '@temporalio/worker'

const workflowsPath = fileURLToPath(import.meta.resolve('@devflow/workflows'))

/** The workflows' bundle, made once a version of the sources and kept in `cacheDir`: bundling takes two seconds. */
export async function workflowBundle(cacheDir: string): Promise<{ codePath: string }> {
  const codePath = join(cacheDir, `workflows-${await sourcesHash()}.js`)
  if (existsSync(codePath)) return { codePath }
  const { code } = await bundleWorkflowCode({ workflowsPath, logger: quiet })
  await mkdir(cacheDir, { recursive: true })
  // Whole or not at all: another worker may be at it, and this one may die.
  const draft = `${codePath}.${process.pid}`
  await writeFile(draft, code)
  await rename(draft, codePath)
  return { codePath }
}

/** Hash of all the bundle is made of: our sources, and the SDK's version by its resolved path. */
async function sourcesHash(): Promise<string> {
  const hash = createHash('sha256')
  const folders = [dirname(workflowsPath), dirname(fileURLToPath(import.meta.resolve('@devflow/contracts')))]
  for (const folder of folders) {
    for (const file of (await readdir(folder, { recursive: true })).sort()) {
      if (file.endsWith('.ts') && !file.endsWith('.test.ts'))
        hash.update(file).update(await readFile(join(folder, file)))
    }
  }
  return hash
    .update(import.meta.resolve('@temporalio/worker'))
    .digest('hex')
    .slice(0, 16)
}

const ignore = () => {}
const quiet = { log: ignore, trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore }
