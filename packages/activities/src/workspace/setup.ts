import { createHash, randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import {
  appendFile,
  cp,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { OpenWorkspace } from './index.ts'

/** Files that say which versions a setup brings: where they are alike, so is what it makes. */
const LOCKFILES = new Set([
  ...['package-lock.json', 'npm-shrinkwrap.json', 'pnpm-lock.yaml', 'yarn.lock', 'bun.lock', 'bun.lockb'],
  ...['deno.lock', 'uv.lock', 'poetry.lock', 'Pipfile.lock', 'pdm.lock', 'requirements.txt'],
  ...[
    'Cargo.lock',
    'go.sum',
    'Gemfile.lock',
    'composer.lock',
    'mix.lock',
    'pubspec.lock',
    'packages.lock.json',
  ],
])

export interface SetupAsked {
  dataDir: string
  /** The repository, whose commands these are. */
  repo: string
  commands: readonly (readonly string[])[]
  /** A clone at the base that nobody has worked in; the caller closes it. */
  open: () => Promise<OpenWorkspace>
  /** Runs one command there; rejects when it does not succeed. */
  run: (argv: readonly string[], root: string) => Promise<void>
}

/** What a setup has made, kept beside the clones. */
export interface Made {
  folder: string
  /** From the root of the workspace; directories whole. */
  paths: string[]
  isCached: boolean
}

/**
 * What the setup of a repository makes beside the files git knows. The commands, which may use the network, run in a clone
 * of the base, never among files that an agent has changed; with the same lockfiles they are not run again on this disk.
 */
export async function setUp({ dataDir, repo, commands, open, run }: SetupAsked): Promise<Made> {
  const { root, commit, tree } = await open()
  const key = createHash('sha256')
    .update(JSON.stringify([repo, commands, process.platform, process.arch, await lockfilesIn(root, commit)]))
    .digest('hex')
  const folder = join(dataDir, 'setups', key)
  const known = await madeIn(folder)
  if (known) return { folder, paths: known, isCached: true }

  for (const argv of commands) await run(argv, root)
  const paths = await tree.untracked()
  const draft = join(dataDir, 'setups', `.draft-${randomUUID()}`)
  try {
    for (const path of paths) {
      await mkdir(dirname(join(draft, 'files', path)), { recursive: true })
      await rename(join(root, path), join(draft, 'files', path))
    }
    await mkdir(draft, { recursive: true })
    await writeFile(join(draft, 'paths.json'), JSON.stringify(paths))
    await rename(draft, folder)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // Another session was first with the same.
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
  return { folder, paths, isCached: false }
}

/** Puts what a setup has made into a workspace, under what is there already, and keeps it out of its snapshots. */
export async function putSetup({ folder, paths }: Made, { root, tree }: OpenWorkspace): Promise<void> {
  for (const path of paths)
    await cp(join(folder, 'files', path), join(root, path), {
      recursive: true,
      verbatimSymlinks: true,
      force: false,
      mode: constants.COPYFILE_FICLONE,
    })
  const lines = paths.map((path) => `/${path.replaceAll(/[\\*?[\]!# ]/g, '\\$&')}\n`).join('')
  for (const info of [join(tree.store.path, 'info'), join(root, '.git/info')]) {
    await mkdir(info, { recursive: true })
    await appendFile(join(info, 'exclude'), lines)
  }
}

/** Removes what was not used since `before`. */
export async function pruneSetups(dataDir: string, before: Date): Promise<void> {
  const top = join(dataDir, 'setups')
  for (const name of (await readdir(top).catch(nothing)) ?? []) {
    const { mtime } = (await stat(join(top, name)).catch(nothing)) ?? { mtime: new Date() }
    if (mtime < before) await rm(join(top, name), { recursive: true, force: true })
  }
}

async function madeIn(folder: string): Promise<string[] | undefined> {
  const text = await readFile(join(folder, 'paths.json'), 'utf8').catch(nothing)
  if (text === undefined) return undefined
  const now = new Date()
  await utimes(folder, now, now).catch(nothing)
  return JSON.parse(text) as string[]
}

/** The lockfiles at the root and one level below; without any, the commit stands for all that may matter. */
async function lockfilesIn(root: string, commit: string): Promise<string[][] | string> {
  const found: string[][] = []
  const look = async (below: string, deeper: boolean): Promise<void> => {
    for (const entry of await readdir(join(root, below), { withFileTypes: true })) {
      const path = join(below, entry.name)
      if (entry.isFile() && LOCKFILES.has(entry.name)) {
        const hash = createHash('sha256').update(await readFile(join(root, path)))
        found.push([path, hash.digest('hex')])
      } else if (deeper && entry.isDirectory() && entry.name !== '.git') await look(path, false)
    }
  }
  await look('', true)
  return found.length > 0 ? found.sort(([a = ''], [b = '']) => (a < b ? -1 : 1)) : commit
}

function nothing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
  return undefined
}
