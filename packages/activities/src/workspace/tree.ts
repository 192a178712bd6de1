import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isGitName } from '../tools/git-name.ts'
import type { ObjectStore } from './object-store.ts'

export interface Commit {
  commit: string
  /** Files git cannot hold, such as those named like its own. */
  left: string[]
}

/**
 * The files of a working directory, put into a store that lies outside it. Git never looks for a repository in the
 * directory itself: whoever works there could have written a configuration into it that runs programs.
 */
export class Tree {
  readonly root: string
  readonly store: ObjectStore
  #head: string
  /** The tree of the head, once it was asked for. */
  #tree: string | undefined

  constructor(store: ObjectStore, root: string, head: string) {
    this.store = store
    this.root = root
    this.#head = head
  }

  /** The commit whose files these were when they were last looked at. */
  get head(): string {
    return this.#head
  }

  /** Fills an empty directory with the files of the head. */
  async checkOut(): Promise<void> {
    await this.#run(['read-tree', '--reset', '-u', this.#head])
  }

  /**
   * Commits the files as they are now, on top of the head; undefined when nothing has changed. What the repository
   * ignores is left out, but for the files in `wrote`.
   */
  async commit(message: string, wrote: readonly string[] = []): Promise<Commit | undefined> {
    const paths = [...(await this.#changed()), ...wrote.map((path) => Buffer.from(path).toString('latin1'))]
    if (paths.length === 0) return undefined
    const left = await this.#stage([...new Set(paths)])
    const tree = await this.#run(['write-tree'])
    this.#tree ??= await this.store.run(['rev-parse', `${this.#head}^{tree}`])
    if (tree === this.#tree) return undefined
    this.#tree = tree
    const commit = await this.store.commitTree(tree, [this.#head], message)
    return { commit, left }
  }

  /** Says that a commit is on record: the next one comes on top of it. */
  moveTo(commit: string): void {
    this.#head = commit
  }

  /** What lies here and git does not know, ignored or not; directories whole, without the slash at their end. */
  async untracked(): Promise<string[]> {
    const list = await this.#run(['ls-files', '-z', '--others', '--directory'])
    return list
      .split('\0')
      .filter(Boolean)
      .map((path) => path.replace(/\/$/, ''))
  }

  /** Paths that differ from the index, each byte a character. */
  async #changed(): Promise<string[]> {
    const list = await this.#run(
      ['ls-files', '-t', '-z', '--modified', '--deleted', '--others', '--exclude-standard'],
      { encoding: 'latin1' },
    )
    const paths: string[] = []
    for (const entry of list.split('\0').filter(Boolean)) {
      const path = entry.slice(2)
      const isNew = entry.startsWith('?')
      // A repository inside the workspace, which git does not look into: its files are ours too.
      if (isNew && path.endsWith('/'))
        for await (const file of this.#filesBelow(path.slice(0, -1))) paths.push(file)
      // What is a repository in the commit already stays as it is.
      else if (isNew || !(await this.#isDirectory(path))) paths.push(path)
    }
    return paths.filter((path) => !path.split('/').some((name) => isGitName(utf8(name))))
  }

  /** Stages paths; answers those that git refuses. */
  async #stage(paths: readonly string[]): Promise<string[]> {
    if (paths.length === 0) return []
    const stage = (some: readonly string[]) =>
      this.#try(['update-index', '-z', '--add', '--remove', '--replace', '--stdin'], some)
    const all = await stage(paths)
    if (all.code === 0)
      return [...all.stderr.matchAll(/^Ignoring path (.*)$/gm)].map(([, path]) => path ?? '')
    // One that cannot be read stops all that come after it.
    const left: string[] = []
    for (const path of paths) {
      const one = await stage([path])
      if (one.code !== 0 || one.stderr.includes('Ignoring path')) left.push(utf8(path))
    }
    return left
  }

  async *#filesBelow(folder: string): AsyncGenerator<string> {
    for (const entry of await readdir(this.#bytes(folder), { withFileTypes: true, encoding: 'latin1' })) {
      if (isGitName(utf8(entry.name))) continue
      const path = `${folder}/${entry.name}`
      if (entry.isDirectory()) yield* this.#filesBelow(path)
      else if (entry.isFile() || entry.isSymbolicLink()) yield path
    }
  }

  async #isDirectory(path: string): Promise<boolean> {
    return await lstat(this.#bytes(path)).then(
      (stat) => stat.isDirectory(),
      () => false, // It is gone: that is the change.
    )
  }

  #bytes(path: string): Buffer {
    return Buffer.concat([Buffer.from(`${this.root}/`), Buffer.from(path, 'latin1')])
  }

  #run(args: readonly string[], more: { encoding?: 'latin1' } = {}): Promise<string> {
    return this.store.run([...this.#place(), ...args], more)
  }

  #try(args: readonly string[], paths: readonly string[]) {
    const input = Buffer.from(paths.map((path) => `${path}\0`).join(''), 'latin1')
    return this.store.try([...this.#place(), ...args], { input })
  }

  #place(): string[] {
    return ['-C', this.root, `--git-dir=${this.store.path}`, `--work-tree=${this.root}`]
  }
}

const utf8 = (bytes: string): string => Buffer.from(bytes, 'latin1').toString('utf8')

/** The index of a tree's store, to be taken over by the repository that lies in the directory. */
export const indexOf = (store: ObjectStore): string => join(store.path, 'index')
