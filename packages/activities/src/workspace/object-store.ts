import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Git, GitOptions } from './git.ts'
import { makeRepository } from './new-repository.ts'

/** Where the head of the files lies in a store, and in every bundle. */
const HEAD_REF = 'refs/devflow/head'

/**
 * A bundle of commits, and how they came: `base` is what must be there before them. Bundles are chained: the base of the
 * first is the commit a run pinned.
 */
export interface Link {
  sha256: string
  commit: string
  base: string
}

/** Commits of a run's files, in a bare repository that borrows its objects from a mirror. */
export class ObjectStore {
  readonly path: string
  readonly #git: Git

  constructor(git: Git, path: string) {
    this.#git = git
    this.path = path
  }

  /** Makes it anew at `path`, on top of a mirror that holds `base`. */
  static async make(git: Git, path: string, mirror: string, base: string): Promise<ObjectStore> {
    await rm(path, { recursive: true, force: true })
    const inside = await makeRepository(git, path, { mirror, commit: base, isBare: true })
    await writeFile(join(inside, 'objects/info/alternates'), `${join(mirror, 'objects')}\n`)
    const store = new ObjectStore(git, path)
    await store.setHead(base)
    return store
  }

  run(args: readonly string[], more: GitOptions = {}): Promise<string> {
    return this.#git.run(this.path, args, more)
  }

  try(args: readonly string[], more: GitOptions = {}) {
    return this.#git.try(this.path, args, more)
  }

  head(): Promise<string> {
    return this.run(['rev-parse', HEAD_REF])
  }

  async setHead(commit: string): Promise<void> {
    await this.run(['update-ref', HEAD_REF, commit])
  }

  /**
   * Takes in a chain of bundles, from its first link. `load` brings the bytes of one into a file. Throws INTERNAL
   * `git_failed` for a bundle whose base is not there.
   */
  async restore(
    chain: readonly Link[],
    load: (sha256: string, file: string) => Promise<void>,
  ): Promise<void> {
    for (const { sha256, commit, base } of chain) {
      const file = join(this.path, 'incoming.bundle')
      await load(sha256, file)
      // Git takes a bundle only where a ref leads to its base.
      await this.setHead(base)
      await this.run([
        'fetch',
        '--quiet',
        '--no-tags',
        '--no-write-fetch-head',
        file,
        `+${HEAD_REF}:${HEAD_REF}`,
      ])
      await this.run(['cat-file', '-e', `${commit}^{commit}`])
      await rm(file)
    }
  }

  /** Writes what leads from `base` to `commit` into a file, under a name of its own. */
  async bundle(file: string, base: string, commit: string, ref = HEAD_REF): Promise<void> {
    await this.run(['update-ref', ref, commit])
    await this.run(['bundle', 'create', '--quiet', file, ref, `^${base}`])
  }

  /** A commit of these files on top of others; answers its name. */
  commitTree(tree: string, parents: readonly string[], message: string): Promise<string> {
    return this.run(['commit-tree', tree, ...parents.flatMap((parent) => ['-p', parent]), '-m', message])
  }
}
