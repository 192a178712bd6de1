import { spawn } from 'node:child_process'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DevflowError } from '@devflow/contracts'

/**
 * The only configuration our git reads; the system's, the user's and the environment's are shut out. A file and not
 * `-c`, because git drops those for the process that reads a local repository. `safe.directory` is open: which
 * repositories are read is decided by the workspace roots, and a worker may well run as another user than their owner.
 */
const CONFIG = `[safe]
	directory = *
[core]
	hooksPath = /dev/null
	fsmonitor = false
	autocrlf = false
	attributesFile = /dev/null
	excludesFile = /dev/null
	sshCommand = false
	askPass = false
[protocol]
	allow = never
[protocol "file"]
	allow = always
[protocol "ext"]
	allow = never
[commit]
	gpgSign = false
[tag]
	gpgSign = false
[credential]
	helper =
[gc]
	auto = 0
[maintenance]
	auto = false
[advice]
	detachedHead = false
[init]
	defaultBranch = main
[transfer]
	fsckObjects = false
[submodule]
	recurse = false
[user]
	name = Devflow
	email = devflow@localhost
`

/** Where git and its helpers are found; nothing of the process's environment reaches them. */
const SEARCH_PATH = [
  '/usr/local/bin',
  '/usr/bin',
  '/bin',
  '/opt/homebrew/bin',
  '/run/current-system/sw/bin',
].join(':')

const MOST_OUTPUT = 64 * 1024 * 1024

export interface GitAnswer {
  code: number
  stdout: string
  stderr: string
}

export interface GitOptions {
  /** Where git stops to look upwards for a repository. */
  ceiling?: string
  /** Written to its standard input. */
  input?: Buffer
  /** `latin1` keeps every byte of names that are not UTF-8. */
  encoding?: 'utf8' | 'latin1'
}

/** Runs git with a fixed environment and configuration, by argv and without a shell. */
export class Git {
  readonly #home: string

  /** A folder that is always there, for commands that need no repository. */
  get home(): string {
    return this.#home
  }

  private constructor(home: string) {
    this.#home = home
  }

  /** Writes the configuration below `dataDir` and returns a git that uses it. */
  static async at(dataDir: string): Promise<Git> {
    const home = join(dataDir, 'git-home')
    await mkdir(home, { recursive: true })
    const file = join(home, 'config')
    const draft = `${file}.${process.pid}.${Math.random().toString(36).slice(2)}`
    await writeFile(draft, CONFIG)
    await rename(draft, file)
    return new Git(home)
  }

  /**
   * Runs to the end, whatever the exit code. Throws UNAVAILABLE `git_missing` when there is no git, and what is no
   * DevflowError, so that it is tried again, where somebody else ended it, as a system does that runs out of memory.
   */
  try(cwd: string, args: readonly string[], more: GitOptions = {}): Promise<GitAnswer> {
    const child = spawn('git', args, {
      cwd,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        PATH: SEARCH_PATH,
        HOME: this.#home,
        XDG_CONFIG_HOME: this.#home,
        LC_ALL: 'C',
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_CONFIG_GLOBAL: join(this.#home, 'config'),
        GIT_ATTR_NOSYSTEM: '1',
        GIT_TERMINAL_PROMPT: '0',
        GIT_OPTIONAL_LOCKS: '0',
        GIT_NO_LAZY_FETCH: '1',
        GIT_LFS_SKIP_SMUDGE: '1',
        ...(more.ceiling === undefined ? {} : { GIT_CEILING_DIRECTORIES: more.ceiling }),
      },
    })
    return new Promise((resolve, reject) => {
      const output = { stdout: '', stderr: '' }
      let isTooMuch = false
      for (const name of ['stdout', 'stderr'] as const)
        child[name].setEncoding(more.encoding ?? 'utf8').on('data', (text: string) => {
          if (output[name].length < MOST_OUTPUT) output[name] += text
          else {
            // Half a list would pass for a whole one.
            isTooMuch = true
            child.kill('SIGKILL')
          }
        })
      // A git that ends without reading all is told by its exit code.
      child.stdin.on('error', () => {}).end(more.input)
      child.once('error', (cause: NodeJS.ErrnoException) =>
        reject(
          cause.code === 'ENOENT'
            ? new DevflowError('UNAVAILABLE', 'git_missing', 'git is not installed, or its folder is gone', {
                cause,
              })
            : cause,
        ),
      )
      child.once('close', (code, signal) => {
        if (code === null && !isTooMuch) reject(new Error(`git ${verbOf(args)} was ended by ${signal}`))
        else resolve({ code: code ?? 128, ...output })
      })
    })
  }

  /** The trimmed output of a command that must succeed; throws INTERNAL `git_failed` with git's own words. */
  async run(cwd: string, args: readonly string[], more: GitOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.try(cwd, args, more)
    if (code === 0) return stdout.trim()
    throw new DevflowError(
      'INTERNAL',
      'git_failed',
      `git ${verbOf(args)} failed with ${code}: ${stderr.trim().slice(-1000)}`,
    )
  }
}

/** What a command does: its first word that is no option, nor the value of one. */
const verbOf = (args: readonly string[]) =>
  args.find((arg, index) => !arg.startsWith('-') && args[index - 1] !== '-c' && args[index - 1] !== '-C')
