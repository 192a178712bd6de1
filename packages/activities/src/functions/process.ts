import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type BoundFunction, DevflowError } from '@devflow/contracts'
import { runnableSource } from '@devflow/definition'
import { CapturedOutput, ConfinedChild, type Sandbox, UsageWatch } from '../sandbox/index.ts'
import type { Grants } from './grants.ts'
import { readMessage, TokenLines } from './messages.ts'
import { ForwardingProxy } from './proxy.ts'

const MiB = 1024 * 1024
/** Of what it prints for one call, its answer included. */
const MOST_BYTES = 8 * MiB
const LONGEST_OUTPUT = MiB
const LONGEST_WORDS = 2_000
const MOST_LOG_LINES = 200
/** So long a call may take to end by itself once it is asked to. */
const GRACE_MS = 250
/** So long its process may take to start and to load it. */
const START_MS = 30_000
/** A process may have been asked so often before it makes way for a fresh one. */
const MOST_CALLS = 1_000

let harness: string | undefined

export interface CallContext {
  idempotencyKey: string
  runId: string
  phase: string
  attempt: number
}

export interface Call {
  input: unknown
  ctx: CallContext
  timeoutMs: number
  signal: AbortSignal
  onLog: (text: string) => void
}

/** The process of one function, with what it may touch. It takes one call at a time. */
export class FunctionProcess {
  readonly #name: string
  readonly #child: ConfinedChild
  readonly #proxy: ForwardingProxy | undefined
  readonly #stderr = new CapturedOutput(8_000)
  readonly #lines: TokenLines
  #calls = 0
  #spoilt: string | undefined
  #isOver = false

  private constructor(name: string, start: (onExcess: () => void) => ConfinedChild, proxy?: ForwardingProxy) {
    this.#name = name
    this.#proxy = proxy
    this.#child = start(() => this.#end('it used too much memory'))
    this.#lines = new TokenLines(MOST_BYTES, () => this.#end('it printed too much'))
    const { stdout, stderr, stdin } = this.#child.process
    stdout?.on('data', (piece: Buffer) => this.#lines.push(piece))
    stderr?.on('data', (piece: Buffer) => this.#stderr.push(piece))
    stdin?.on('error', () => {}) // It has ended: that is told where its end is.
    const over = () => {
      this.#isOver = true
      void this.#proxy?.close()
    }
    this.#child.ended.then(over, over)
  }

  static async start(
    called: BoundFunction,
    grants: Grants,
    { sandbox, memoryMb }: { sandbox: Sandbox; memoryMb: number },
  ): Promise<FunctionProcess> {
    const proxy = grants.net.length > 0 ? await ForwardingProxy.open(grants.net) : undefined
    const args = nodeArguments(grants, memoryMb)
    const limits = { memoryBytes: memoryMb * MiB, tmpBytes: 16 * MiB, openFiles: 256 }
    const shown = { readable: [...grants.read, ...(proxy ? [proxy.socket] : [])], writable: grants.write }
    let excess = () => {}
    const child =
      sandbox.confinement.kind === 'bubblewrap'
        ? await sandbox.start({
            ...{ argv: ['node', ...args], reads: undefined, network: false, env: {} },
            ...{ ...shown, limits, identity: grants.identity, onExcess: () => excess() },
          })
        : plainChild(args, { ...sandbox.limits, ...limits }, () => excess())
    const started = new FunctionProcess(
      called.id,
      (onExcess) => {
        excess = onExcess
        return child
      },
      proxy,
    )
    const code = runnableSource(called.source)
    started.#send({ code, env: grants.env, ...(proxy ? { proxy: proxy.socket } : {}) })
    return started
  }

  /** Whether another call may come to it. */
  get isFresh(): boolean {
    return !this.#isOver && this.#spoilt === undefined && this.#calls < MOST_CALLS
  }

  /**
   * Calls the function. Throws INTERNAL `function_failed`, TIMEOUT `function_timeout`, INTERNAL `function_output_invalid`
   * where it is too large, and the signal's reason when it is aborted: then nothing of the call runs any more.
   */
  async call({ input, ctx, timeoutMs, signal, onLog }: Call): Promise<unknown> {
    signal.throwIfAborted()
    this.#calls += 1
    const token = `${randomBytes(24).toString('base64url')} `
    const answered = Promise.withResolvers<unknown>()
    let logged = 0
    this.#lines.listen(token, (json) => {
      const said = readMessage(json)
      if (said === undefined) answered.reject(this.#failed('its answer is not what it should be'))
      else if ('begun' in said) {
        clearTimeout(timer)
        timer = setTimeout(late, timeoutMs)
      } else if ('log' in said) {
        logged += 1
        if (logged <= MOST_LOG_LINES) onLog(said.log)
      } else if ('error' in said) answered.reject(this.#failed(said.error))
      else {
        // What it left running would run beside the next call.
        if (said.left > 0) this.#spoilt = 'it left something running'
        if (json.length > LONGEST_OUTPUT) answered.reject(tooLarge(this.#name))
        else answered.resolve(said.output)
      }
    })
    let killing: NodeJS.Timeout | undefined
    const stop = (why: string) => {
      // Whatever it still answers, nobody knows what it goes on with.
      this.#spoilt ??= why
      this.#send({ abort: true })
      killing = setTimeout(() => this.#end(why), GRACE_MS)
    }
    let isLate = false
    const late = () => {
      isLate = true
      stop('it took too long')
    }
    // Its own time begins with its code: until then a busy machine may take long.
    let timer = setTimeout(late, START_MS)
    const ended = () => answered.reject(this.#failed(this.#lastWords()))
    this.#child.ended.then(ended, ended)
    const abort = () => stop('it was stopped')
    signal.addEventListener('abort', abort, { once: true })
    this.#send({ call: { token, input, ctx } })
    try {
      return await answered.promise
    } catch (error) {
      // After a failure nobody knows what it has left behind.
      this.#end('it failed')
      await this.#child.ended.catch(() => {})
      signal.throwIfAborted()
      throw isLate ? timedOut(this.#name, timeoutMs) : error
    } finally {
      clearTimeout(timer)
      clearTimeout(killing)
      signal.removeEventListener('abort', abort)
      this.#lines.listen()
    }
  }

  async close(): Promise<void> {
    this.#end('it is not needed any more')
    await this.#child.ended.catch(() => {})
  }

  #end(why: string): void {
    this.#spoilt ??= why
    this.#child.kill()
  }

  #send(message: object): void {
    const { stdin } = this.#child.process
    if (stdin?.writable) stdin.write(`${JSON.stringify(message)}\n`)
  }

  #lastWords(): string {
    const words = this.#stderr.text()
    if (/heap out of memory|allocation failed/i.test(words)) return 'it used too much memory'
    if (this.#spoilt !== undefined) return this.#spoilt
    const { exitCode, signalCode } = this.#child.process
    return `its process ended by itself (${signalCode ?? `exit code ${exitCode}`})`
  }

  #failed(reason: string): DevflowError {
    return new DevflowError('INTERNAL', 'function_failed', `${this.#name}: ${reason.slice(0, LONGEST_WORDS)}`)
  }
}

const timedOut = (name: string, ms: number) =>
  new DevflowError('TIMEOUT', 'function_timeout', `${name} did not answer within ${ms / 1000} s.`)

const tooLarge = (name: string) =>
  new DevflowError(
    'INTERNAL',
    'function_output_invalid',
    `What ${name} answered is larger than ${LONGEST_OUTPUT / MiB} MB.`,
  )

/** Node with no right that is not declared; what its permission model leaves open is closed by further options, and the harness. */
function nodeArguments({ read, write, net }: Grants, memoryMb: number): string[] {
  harness ??= runnableSource(readFileSync(new URL('./harness.ts', import.meta.url), 'utf8'))
  return [
    '--permission',
    ...[...read, ...write].map((path) => `--allow-fs-read=${path}`),
    ...write.map((path) => `--allow-fs-write=${path}`),
    ...(net.length > 0 ? ['--allow-net'] : []),
    // These know nothing of permissions.
    '--no-experimental-sqlite',
    '--no-experimental-ffi',
    '--no-addons',
    '--disallow-code-generation-from-strings',
    '--disable-proto=delete',
    '--no-warnings',
    `--max-old-space-size=${Math.floor(memoryMb * 0.75)}`,
    '--input-type=module',
    '--eval',
    harness,
  ]
}

/** Without bubblewrap: nothing but the permission model is around it. */
function plainChild(args: readonly string[], limits: Sandbox['limits'], onExcess: () => void): ConfinedChild {
  const child = new ConfinedChild({
    ...{
      file: process.execPath,
      args,
      env: {},
      cwd: '/',
      stdin: 'pipe' as const,
      feeds: [],
      tellsInfo: false,
    },
  })
  const watch = new UsageWatch(undefined, limits, onExcess)
  const { pid } = child.process
  if (pid !== undefined) watch.watch(pid)
  const stop = () => watch.stop()
  child.ended.then(stop, stop)
  return child
}
