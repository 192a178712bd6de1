import { execFile } from 'node:child_process'
import { readFile, statfs } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { CommandLimits } from './limits.ts'

const INTERVAL_MS = 250
/** A directory is measured again once its disk lost this part of what it may hold, by whomever. */
const WORTH_MEASURING = 1 / 64

export type Excess = 'memory' | 'disk'

/**
 * Looks now and then what a command uses of memory and disk, and tells when it is too much. The kernel's own limits are
 * of each process and each file; these are of all together.
 */
export class UsageWatch {
  readonly #limits: CommandLimits
  readonly #root: string | undefined
  readonly #onExcess: (excess: Excess) => void
  readonly #timer: NodeJS.Timeout
  #pid: number | undefined
  #looking = false
  #freeWhenMeasured = Number.POSITIVE_INFINITY

  constructor(root: string | undefined, limits: CommandLimits, onExcess: (excess: Excess) => void) {
    this.#root = root
    this.#limits = limits
    this.#onExcess = onExcess
    this.#timer = setInterval(() => void this.#look(), INTERVAL_MS)
  }

  /** The first process of the command, once it is known. */
  watch(pid: number): void {
    this.#pid = pid
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  async #look(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    try {
      if (await this.#usesTooMuchMemory()) this.#onExcess('memory')
      else if (await this.#fillsTheDisk()) this.#onExcess('disk')
    } catch {
      // What is looked at ends and is removed while we look: the next look, if there is one, sees the rest.
    } finally {
      this.#looking = false
    }
  }

  async #usesTooMuchMemory(): Promise<boolean> {
    return this.#pid !== undefined && (await memoryOf(this.#pid)) > this.#limits.memoryBytes
  }

  async #fillsTheDisk(): Promise<boolean> {
    if (this.#root === undefined) return false
    const { bavail, bsize } = await statfs(this.#root)
    const free = bavail * bsize
    if (free < this.#limits.diskReserveBytes) return true
    const { workspaceBytes } = this.#limits
    if (this.#freeWhenMeasured - free < workspaceBytes * WORTH_MEASURING) return false
    this.#freeWhenMeasured = free
    return (await diskUseOf(this.#root)) > workspaceBytes
  }
}

/** Memory of a process and all below it that is theirs alone or shared among them: pages of files do not count. */
async function memoryOf(pid: number): Promise<number> {
  const [status, children] = await Promise.all([
    readFile(`/proc/${pid}/status`, 'utf8').catch(gone),
    readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(gone),
  ])
  const own = [...status.matchAll(/^(?:RssAnon|RssShmem):\s+(\d+) kB/gm)]
  const below = await Promise.all(children.split(' ').filter(Boolean).map(Number).map(memoryOf))
  return [...own.map(([, kB]) => Number(kB) * 1024), ...below].reduce((sum, bytes) => sum + bytes, 0)
}

/** It has ended meanwhile. */
const gone = () => ''

/** Bytes on disk below a directory, without git's own files. */
async function diskUseOf(root: string): Promise<number> {
  const du = ['-sx', '--block-size=1', '--exclude=./.git', '.']
  // A folder that cannot be read makes it fail, with the sum of all others on its output.
  const { stdout } = await promisify(execFile)('du', du, { cwd: root }).catch(
    (error: { stdout?: string }) => ({ stdout: error.stdout ?? '' }),
  )
  return Number(stdout.split('\t')[0] ?? 0)
}
