import { realpathSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  accounts,
  type Box,
  bubblewrapArguments,
  environment,
  FD,
  WORKSPACE,
  wrappedArgv,
} from './bubblewrap.ts'
import { CapturedOutput } from './captured-output.ts'
import { ConfinedChild } from './confined-child.ts'
import { type Identity, identityFor } from './identity.ts'
import { type CommandLimits, DEFAULT_LIMITS } from './limits.ts'
import { handOver, takeBack } from './ownership.ts'
import { seccompFilter } from './seccomp.ts'
import { type Excess, UsageWatch } from './usage-watch.ts'

export interface SandboxOptions {
  /** PATH to find bubblewrap on; without it, too, nothing of the environment is read. */
  path: string
  /** Files and folders that commands may read beside the system's, at their own paths. */
  readOnly?: readonly string[]
  /** Commands may run without a sandbox where none can be made. */
  unsandboxed?: boolean
  limits?: Partial<CommandLimits>
}

export interface Command {
  argv: readonly string[]
  /** Working directory: a clone of this worker's. */
  root: string
  signal: AbortSignal
  /** With the machine's network; nothing that a model asks for has it. */
  network?: boolean
  timeoutMs?: number
}

/** How a command ended: by itself, by a signal, or because it went over a limit. */
type CommandEnd =
  | { by: 'exit'; exitCode: number }
  | { by: 'signal'; signal: string }
  | { by: 'limit'; limit: 'time' | 'output' | Excess }

export interface CommandResult {
  end: CommandEnd
  stdout: CapturedOutput
  stderr: CapturedOutput
  durationMs: number
}

/** What became of the search for a sandbox at the worker's start. */
type Confinement =
  | { kind: 'bubblewrap' }
  | { kind: 'unsandboxed'; reason: string }
  | { kind: 'unavailable'; reason: string }

/** A program that lives on, as a server does. */
interface LongLived {
  argv: readonly string[]
  /** A clone of this worker's, which it may read. */
  reads: string | undefined
  network: boolean
  /** Beside what every command has. */
  env: Readonly<Record<string, string>>
  /** Of its own; by default those of commands. */
  limits?: Partial<CommandLimits>
  /** Shown at their own paths, beside what the operator shows. */
  readable?: readonly string[]
  writable?: readonly string[]
  /** Whom it is inside; by default a user of its clone. */
  identity?: Identity
  /** It used too much, and is being ended. */
  onExcess?: () => void
}

type Start = Pick<Box, 'root' | 'isReadOnly' | 'network' | 'env' | 'identity'> & {
  limits?: CommandLimits
  readable?: readonly string[]
  writable?: readonly string[]
  argv: readonly string[]
  stdin: 'ignore' | 'pipe'
}

/** Runs what agents ask for where it can see and touch its working directory and nothing else. */
export class Sandbox {
  readonly confinement: Confinement
  readonly limits: CommandLimits
  readonly #options: SandboxOptions
  readonly #filter = seccompFilter()
  readonly #node = realpathSync(process.execPath)

  private constructor(options: SandboxOptions, confinement: Confinement) {
    this.#options = options
    this.confinement = confinement
    this.limits = { ...DEFAULT_LIMITS, ...options.limits }
  }

  /** Looks for bubblewrap and tries it once, with all that a command gets. */
  static async open(options: SandboxOptions): Promise<Sandbox> {
    const reason = await new Sandbox(options, { kind: 'bubblewrap' }).#trial()
    if (reason === undefined) return new Sandbox(options, { kind: 'bubblewrap' })
    return new Sandbox(options, { kind: options.unsandboxed ? 'unsandboxed' : 'unavailable', reason })
  }

  /** Runs a command to its end. An aborted signal ends it within a moment and then rejects with the signal's reason. */
  async run(command: Command): Promise<CommandResult> {
    const { argv, root, signal, network = false, timeoutMs = this.limits.timeoutMs } = command
    signal.throwIfAborted()
    const identity = identityFor(root)
    if (this.#isBoxed) await handOver(root, identity)
    signal.throwIfAborted()
    const started = performance.now()
    let limit: (CommandEnd & { by: 'limit' })['limit'] | undefined
    const over = (which: NonNullable<typeof limit>) => {
      limit ??= which
      child.kill()
    }
    const watch = new UsageWatch(root, this.limits, over)
    const start = { argv, root, isReadOnly: false, network, env: {}, identity, stdin: 'ignore' as const }
    const child = this.#start(start, (pid) => watch.watch(pid))
    const stdout = new CapturedOutput(this.limits.keptOutputBytes)
    const stderr = new CapturedOutput(this.limits.keptOutputBytes)
    const listen = (stream: CapturedOutput) => (piece: Buffer) => {
      if (limit === 'output') return
      stream.push(piece)
      if (stdout.bytes + stderr.bytes > this.limits.outputBytes) over('output')
    }
    child.process.stdout?.on('data', listen(stdout))
    child.process.stderr?.on('data', listen(stderr))
    const timer = setTimeout(() => over('time'), timeoutMs)
    const abort = () => child.kill()
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
    try {
      const { code, signal: killedBy } = await child.ended
      signal.throwIfAborted()
      return {
        end: limit ? { by: 'limit', limit } : endOf(code, killedBy),
        stdout,
        stderr,
        durationMs: Math.round(performance.now() - started),
      }
    } finally {
      clearTimeout(timer)
      watch.stop()
      signal.removeEventListener('abort', abort)
      if (this.#isBoxed) await takeBack(root, identity)
    }
  }

  /** Starts what lives on, with its standard streams open; the caller ends it. Throws where there is no sandbox. */
  async start(program: LongLived): Promise<ConfinedChild> {
    const { argv, reads, network, env, readable = [], writable = [], onExcess = () => {} } = program
    const identity = program.identity ?? identityFor(reads ?? WORKSPACE)
    const limits = { ...this.limits, ...program.limits }
    if (this.#isBoxed && reads !== undefined) await handOver(reads, identity)
    const watch = new UsageWatch(undefined, limits, () => {
      onExcess()
      child.kill()
    })
    const shown = { root: reads, isReadOnly: true, readable, writable }
    const start = { argv, network, env, identity, limits, stdin: 'pipe' as const, ...shown }
    const child = this.#start(start, (pid) => watch.watch(pid))
    const stop = () => watch.stop()
    child.ended.then(stop, stop)
    return child
  }

  get #isBoxed(): boolean {
    return this.confinement.kind === 'bubblewrap'
  }

  #start(start: Start, onFirstProcess: (pid: number) => void): ConfinedChild {
    if (this.confinement.kind === 'unavailable') throw new Error(this.confinement.reason)
    const { argv, root, stdin, identity, env, limits = this.limits, readable = [], writable = [] } = start
    const { path: PATH, readOnly = [] } = this.#options
    if (!this.#isBoxed) {
      const [file = '', ...args] = argv
      return new ConfinedChild({
        ...{ file, args, stdin, feeds: [], tellsInfo: false },
        env: { ...environment(), ...env, PATH },
        cwd: root ?? tmpdir(),
      })
    }
    const hasFilter = this.#filter !== undefined
    const options = bubblewrapArguments({
      ...start,
      readOnly: [...readOnly, ...readable],
      writable,
      hasFilter,
      node: this.#node,
      limits,
    })
    const { passwd, group } = accounts(identity)
    const feeds = [this.#filter ?? '', passwd, group, options.join('\0')]
    const args = ['--args', String(FD.args), '--', ...wrappedArgv(argv, identity, limits)]
    return new ConfinedChild(
      { file: 'bwrap', args, env: { PATH }, cwd: '/', stdin, feeds, tellsInfo: true },
      onFirstProcess,
    )
  }

  /** Why no sandbox can be made here; undefined when one can. */
  async #trial(): Promise<string | undefined> {
    if (process.platform !== 'linux') return `there is no bubblewrap for ${process.platform}`
    const root = await mkdtemp(join(tmpdir(), 'devflow-sandbox-'))
    try {
      await mkdir(join(root, '.git'))
      const signal = AbortSignal.timeout(10_000)
      const { end, stderr } = await this.run({ argv: ['true'], root, signal })
      if (end.by === 'exit' && end.exitCode === 0) return undefined
      return `bubblewrap (bwrap) does not work here: ${stderr.text().trim() || JSON.stringify(end)}`
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'bubblewrap (bwrap) is not installed'
      return `bubblewrap (bwrap) does not work here: ${String(error)}`
    } finally {
      await rm(root, { recursive: true, force: true })
    }
  }
}

function endOf(code: number | null, signal: NodeJS.Signals | null): CommandEnd {
  return code === null ? { by: 'signal', signal: signal ?? 'SIGKILL' } : { by: 'exit', exitCode: code }
}
