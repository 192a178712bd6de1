import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { workflowCode } from '../../support/replay.ts'

const SOURCES = dirname(fileURLToPath(import.meta.resolve('@devflow/workflows')))

/** Where the workflow is changed: before it rests, it looks at the log once more. */
const BEFORE_REST = "case 'wait':\n"
const CHANGED = `${BEFORE_REST}await control.look({ runId: this.#runId, epoch: this.#begun.epoch })\n`

/** Folders of bundles for workers of two builds, which `DEVFLOW_CACHE` names. */
export interface Builds {
  old: string
  changed: string
  remove(): Promise<void>
}

/**
 * Makes two builds of the workflows: one of the sources, one of a copy in which a run that rests does one thing more.
 * `oldBundle` is a folder in which a worker has put the bundle of the sources, under the name that it looks for.
 */
export async function twoBuilds(oldBundle: string): Promise<Builds> {
  const folder = await mkdtemp(join(tmpdir(), 'devflow-builds-'))
  const changed = join(folder, 'changed')
  await mkdir(changed)
  await writeFile(join(changed, await bundleName(oldBundle)), await changedCode(folder))
  return { old: oldBundle, changed, remove: () => rm(folder, { recursive: true, force: true }) }
}

async function changedCode(folder: string): Promise<string> {
  const copy = join(folder, 'package')
  await cp(SOURCES, join(copy, 'src'), { recursive: true })
  await symlink(join(SOURCES, '..', 'node_modules'), join(copy, 'node_modules'))
  const file = join(copy, 'src', 'run-workflow.ts')
  const source = await readFile(file, 'utf8')
  if (source.split(BEFORE_REST).length !== 2) throw new Error(`${file} does not hold once: ${BEFORE_REST}`)
  await writeFile(file, source.replace(BEFORE_REST, CHANGED))
  return await workflowCode(join(copy, 'src', 'index.ts'))
}

async function bundleName(folder: string): Promise<string> {
  const [name, ...more] = (await readdir(folder)).filter((file) => file.endsWith('.js'))
  if (name === undefined || more.length > 0) throw new Error(`${folder} does not hold one bundle`)
  return name
}
