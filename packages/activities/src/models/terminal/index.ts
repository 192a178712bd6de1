import { randomBytes } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { ModelPrice } from '@devflow/contracts'
import { delay } from '../abortable-delay.ts'
import type { ModelAdapter, ModelEvent, ModelRequest } from '../model.ts'
import { once } from '../once.ts'
import { modelError, verdict } from '../provider-failure.ts'
import { BEGIN, type Limits, next, type Recoveries } from './course.ts'
import { terminalFailure } from './errors.ts'
import { openFolder, sweepFolders } from './folders.ts'
import { answerOn, hasEnded, type Place, promptOf, reminder } from './prompt.ts'
import { type Patterns, stateOf } from './state.ts'
import { type Look, Terminal } from './tmux.ts'

/** A command-line agent as the operator describes it; personas name it by `model.name`, and say nothing else of it. */
export interface TerminalCommand extends Patterns {
  /** Program and arguments; no shell. */
  command: readonly [string, ...string[]]
  /** Questions that may be answered without a person, with the keys to press, in tmux's names. */
  answers: readonly { when: RegExp; keys: readonly string[] }[]
  /** `file`: the agent writes its answer into a file. `screen`: it prints it between marks. */
  answer: 'file' | 'screen'
  /** Where it runs. Default: an empty folder of its own. */
  folder?: string | undefined
  /** It runs in the session's clone, where there is one that the session may change. */
  workspace?: boolean | undefined
  /** All it sees of the environment. */
  env: Readonly<Record<string, string>>
  limits: Limits
}

const FREE: ModelPrice = { input: 0, output: 0 }
const LOOK_EVERY_MS = 100

/**
 * Any command-line agent, run in tmux. A call is one prompt, the whole conversation, to a command started for it, and
 * the answer it gives; what it used is not known, and it costs us nothing.
 */
export function terminalModel(commands: Readonly<Record<string, TerminalCommand>>): ModelAdapter {
  const env = Object.values(commands)[0]?.env ?? {}
  const swept = once(() => sweepFolders(env))

  async function* stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
    signal.throwIfAborted()
    const { name } = request.model
    const given = Object.hasOwn(commands, name) ? commands[name] : undefined
    if (!given)
      throw modelError(
        verdict('NOT_FOUND', 'provider_model_not_found'),
        `there is no terminal ${name}; DEVFLOW_TERMINALS describes ${Object.keys(commands).join(', ') || 'none'}`,
        { billed: 'no' },
      )
    await swept()
    const folder = await openFolder()
    const terminal = new Terminal(folder, given.env)
    try {
      yield* converse(terminal, folder, given, request, signal)
    } catch (failure) {
      signal.throwIfAborted()
      throw terminalFailure(failure, name)
    } finally {
      await terminal.end()
      await rm(folder, { recursive: true, force: true })
    }
  }

  return {
    stream,
    price: (model) => model.pricing ?? FREE,
    worksOnFiles: ({ name }) => Object.hasOwn(commands, name) && commands[name]?.workspace === true,
  }
}

async function* converse(
  terminal: Terminal,
  folder: string,
  given: TerminalCommand,
  request: ModelRequest,
  signal: AbortSignal,
): AsyncGenerator<ModelEvent> {
  const { name } = request.model
  const place: Place =
    given.answer === 'file' ? { file: join(folder, 'answer') } : { mark: randomBytes(6).toString('hex') }
  const clock = new Clock()
  let course = BEGIN
  let told = ''
  const clone = given.workspace === true ? request.root : undefined
  await terminal.start(given.command, clone ?? given.folder ?? folder)
  for (;;) {
    const look = await terminal.look()
    const quietMs = clock.quietFor(look.screen)
    const started = course.stage !== 'starting'
    const state = stateOf({ ...look, started }, given)
    if (state !== told) {
      told = state
      yield { kind: 'thinking', text: `${name} is ${state}\n` }
    }
    const answered = started && (await answerIn(place, look))
    const keys = given.answers.find(({ when }) => when.test(look.screen))?.keys
    const sight = { state, answered, keys, quietMs, ...clock.times() }
    const [after, action] = next(course, sight, given.limits)
    if (after.stage !== course.stage || action.do !== 'look') clock.stage()
    course = after
    switch (action.do) {
      case 'look':
        await delay(LOOK_EVERY_MS, signal)
        break
      case 'prompt':
        await terminal.type(promptOf(request.messages, place, clone))
        break
      case 'ask':
        await terminal.type(reminder(place))
        break
      case 'press':
        await terminal.press(action.keys)
        await delay(LOOK_EVERY_MS, signal)
        break
      case 'fail':
        throw terminalFailure(
          { why: action.why, look, recoveries: course.recoveries, stage: course.stage },
          name,
        )
      case 'finish':
        yield* finished(await whole(place, terminal), name, course.recoveries)
        return
    }
  }
}

/** Whether the answer is there, to its end: in its file, or with its last mark on the screen. */
async function answerIn(place: Place, look: Look): Promise<boolean> {
  if ('mark' in place) return hasEnded(look.screen, place.mark)
  return (await readFile(place.file, 'utf8').catch(() => '')).trim() !== ''
}

async function whole(place: Place, terminal: Terminal): Promise<string> {
  if ('mark' in place) return answerOn(await terminal.history(), place.mark) ?? ''
  return (await readFile(place.file, 'utf8')).trim()
}

function* finished(content: string, modelUsed: string, recoveries: Recoveries): Generator<ModelEvent> {
  const { submitted, answered, asked } = recoveries
  if (submitted + answered + asked > 0)
    yield {
      kind: 'thinking',
      text: `recovered: sent again ${submitted}, questions answered ${answered}, asked for the answer ${asked}\n`,
    }
  if (content !== '') yield { kind: 'token', text: content }
  yield { kind: 'done', finish: 'stop', content, toolCalls: [], modelUsed }
}

/** How long the screen has stood, the stage has lasted, and the call. */
class Clock {
  readonly #began = performance.now()
  #staged = this.#began
  #changed = this.#began
  #screen = ''

  quietFor(screen: string): number {
    if (screen !== this.#screen) {
      this.#screen = screen
      this.#changed = performance.now()
    }
    return performance.now() - this.#changed
  }

  /** A stage begins, and with it what happens on the screen. */
  stage(): void {
    this.#staged = performance.now()
    this.#changed = this.#staged
  }

  times(): { stageMs: number; totalMs: number } {
    return { stageMs: performance.now() - this.#staged, totalMs: performance.now() - this.#began }
  }
}
