import { createHash, randomUUID } from 'node:crypto'
import { rename, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Git } from './git.ts'
import { initRepository } from './new-repository.ts'
import { wayTo } from './source-repository.ts'

/** Work on one mirror, one after another within this process: sessions that start together fetch once. */
const queues = new Map<string, Promise<unknown>>()

/**
 * A bare copy of a repository that only grows. Each commit fetched is held by a ref of its own,
 * `refs/devflow/<commit>/<unique>`, which git writes last, once everything below the commit is there: the ref, not the
 * commit's object, says that a fetch was completed. As no two fetches write the same ref, a fetch killed half-way
 * leaves no lock in anybody's way, and two processes may fetch at once.
 */
export class Mirror {
  readonly path: string
  readonly #git: Git

  constructor(git: Git, dataDir: string, repository: string) {
    const hash = createHash('sha256').update(repository).digest('hex').slice(0, 16)
    const name = basename(repository)
      .replaceAll(/[^A-Za-z0-9._-]/g, '_')
      .slice(0, 60)
    this.path = join(dataDir, 'mirrors', `${name}-${hash}.git`)
    this.#git = git
  }

  /** Makes sure that the commit and all its history are in the mirror. */
  async hold(repository: string, commit: string): Promise<void> {
    const before = queues.get(this.path) ?? Promise.resolve()
    const turn = before.then(() => this.#hold(repository, commit))
    // The queue goes on after a failure; the failure itself goes to the one who waits for this turn.
    const settled = turn.then(
      () => undefined,
      () => undefined,
    )
    queues.set(this.path, settled)
    try {
      await turn
    } finally {
      if (queues.get(this.path) === settled) queues.delete(this.path)
    }
  }

  async holds(commit: string): Promise<boolean> {
    const { code, stdout } = await this.#git
      .try(this.path, ['for-each-ref', '--count=1', `refs/devflow/${commit}/`])
      .catch(() => ({ code: 1, stdout: '' }))
    return code === 0 && stdout !== ''
  }

  async #hold(repository: string, commit: string): Promise<void> {
    await this.#create(commit)
    if (await this.holds(commit)) return
    await this.#git.run(this.path, [
      ...wayTo(repository),
      'fetch',
      '--quiet',
      '--no-tags',
      '--no-write-fetch-head',
      '--update-shallow',
      '--no-recurse-submodules',
      repository,
      `+${commit}:refs/devflow/${commit}/${randomUUID()}`,
    ])
  }

  async #create(commit: string): Promise<void> {
    const { code } = await this.#git
      .try(this.path, ['rev-parse', '--is-bare-repository'])
      .catch(() => ({ code: 1 }))
    if (code === 0) return
    const draft = `${this.path}.draft-${randomUUID()}`
    try {
      await initRepository(this.#git, draft, commit, true)
      await rename(draft, this.path)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      // Somebody else was first.
      if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error
    } finally {
      await rm(draft, { recursive: true, force: true })
    }
  }
}
