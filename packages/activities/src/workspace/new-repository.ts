import { copyFile, link, mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Git } from './git.ts'

/** Files are kept byte for byte, whatever a repository's attributes ask of git. */
const RAW_ATTRIBUTES = '* -text -ident -filter !working-tree-encoding\n'

const FAN_OUT = /^[0-9a-f]{2}$/
const LOOSE = /^[0-9a-f]{38}(?:[0-9a-f]{24})?$/
const INDEX = /^(?<pack>pack-[0-9a-f]+)\.idx$/

/** Makes an empty repository at `path`, with the hash that the commit is named by. */
export async function initRepository(git: Git, path: string, commit: string, isBare: boolean): Promise<void> {
  await mkdir(path, { recursive: true })
  const format = commit.length === 64 ? 'sha256' : 'sha1'
  const bare = isBare ? ['--bare'] : []
  await git.run(path, ['init', '--quiet', '--template=', `--object-format=${format}`, ...bare])
}

/**
 * Makes an empty repository at `path` for the history of a commit that a mirror holds, cut off where the mirror's is.
 * Answers where git's own files are.
 */
export async function makeRepository(
  git: Git,
  path: string,
  { mirror, commit, isBare }: { mirror: string; commit: string; isBare: boolean },
): Promise<string> {
  await initRepository(git, path, commit, isBare)
  const inside = isBare ? path : join(path, '.git')
  await mkdir(join(inside, 'info'))
  await writeFile(join(inside, 'info/attributes'), RAW_ATTRIBUTES)
  await copyFile(join(mirror, 'shallow'), join(inside, 'shallow')).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
  return inside
}

/**
 * Gives one object folder all that another holds, by hard links: it costs no space. Fetches may write into `from`
 * meanwhile. What they have not finished is passed over, where `git clone --local` fails over a file that is gone or
 * changed: objects and packs get their names once they are whole, a pack before its index.
 */
export async function linkObjects(from: string, to: string): Promise<void> {
  for (const folder of await readdir(from)) {
    if (FAN_OUT.test(folder)) {
      const names = (await readdir(join(from, folder))).filter((name) => LOOSE.test(name))
      await linkAll(join(from, folder), join(to, folder), names)
    }
    if (folder === 'pack') {
      const packs = (await readdir(join(from, folder))).flatMap(
        (name) => INDEX.exec(name)?.groups?.pack ?? [],
      )
      await linkAll(
        join(from, folder),
        join(to, folder),
        packs.flatMap((pack) => [`${pack}.pack`, `${pack}.idx`]),
      )
    }
  }
}

async function linkAll(from: string, to: string, names: readonly string[]): Promise<void> {
  if (names.length === 0) return
  await mkdir(to, { recursive: true })
  await Promise.all(names.map((name) => linkOrCopy(join(from, name), join(to, name))))
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // A file system without hard links, or an object with as many names as it may have.
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EMLINK' && code !== 'EXDEV') throw error
    await copyFile(from, to)
  }
}
