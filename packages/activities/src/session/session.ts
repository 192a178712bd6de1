import type { AgentPhase, BoundPersona, Definition } from '@devflow/contracts'
import type { Answer, Line, Member, Overrun, PhaseProgress, Progress, Reserve } from '@devflow/db'
import type { PhaseNode } from '@devflow/definition'
import type { Deps } from '../deps.ts'
import type { Servers } from '../mcp/index.ts'
import type { ModelAdapter, ToolSpec } from '../models/model.ts'
import { effectsOf } from '../tools/index.ts'
import type { Files } from './files.ts'
import { ownerId, type Place } from './place.ts'
import type { Stop } from './stop.ts'
import type { RunSubagent, Share } from './subagents/order.ts'
import { warnedLine } from './warned-line.ts'

/** Of a session that another one has asked for help: by which call of a tool, for what, and with what. */
export interface Asked {
  by: Place
  turn: number
  call: string
  task: string
  share: Share
}

export type SessionParts = Omit<Session, 'rootOfModel' | 'append' | 'post' | 'settled' | 'warn'>

/** What a session is made of, and its one way to write. */
export class Session {
  readonly deps: Deps
  readonly place: Place
  readonly epoch: number
  readonly stop: Stop
  readonly progress: Progress
  readonly definition: Definition
  /** The phase it plays, and where that stood when the session began. */
  readonly node: PhaseNode
  readonly at: PhaseProgress
  readonly agent: AgentPhase
  readonly persona: BoundPersona
  readonly adapter: ModelAdapter
  readonly tools: ToolSpec[]
  /** Root of the clone the tools read; undefined when the run has no workspace. */
  readonly root: string | undefined
  /** The commit that clone stands at. */
  readonly commit: string | undefined
  /** The files in it, and how they are kept. */
  readonly files: Files | undefined
  /** Servers whose tools are among its own. */
  readonly servers: Servers | undefined
  /** How much deeper agents may be asked for help. */
  readonly depthLeft: number
  readonly asked: Asked | undefined
  readonly runSubagent: RunSubagent<Session>

  constructor(parts: SessionParts) {
    this.deps = parts.deps
    this.place = parts.place
    this.epoch = parts.epoch
    this.stop = parts.stop
    this.progress = parts.progress
    this.definition = parts.definition
    this.node = parts.node
    this.at = parts.at
    this.agent = parts.agent
    this.persona = parts.persona
    this.adapter = parts.adapter
    this.tools = parts.tools
    this.root = parts.root
    this.commit = parts.commit
    this.files = parts.files
    this.servers = parts.servers
    this.depthLeft = parts.depthLeft
    this.asked = parts.asked
    this.runSubagent = parts.runSubagent
    this.#owner = { id: ownerId(parts.place), epoch: parts.epoch }
  }

  /** Where its model works itself, and not by tools alone: in the clone, if the session may change files at all. */
  get rootOfModel(): string | undefined {
    const { adapter, persona, tools, root } = this
    return adapter.worksOnFiles?.(persona.model) && tools.some(({ name }) => effectsOf(name))
      ? root
      : undefined
  }

  readonly #owner: NonNullable<Member['session']>
  #posted: Promise<void> = Promise.resolve()
  readonly #warned = new Set<string>()

  /** Appends as this session's one writer (I13). What is appended in a row stays in a row. */
  async append(lines: Line[], reserve?: Reserve): Promise<Answer> {
    const posted = this.#posted
    const answer = await this.#write(lines, reserve)
    await posted
    return answer
  }

  /**
   * Appends without waiting: the next `append` comes after it, in the same group if it is quick, and rejects if this
   * one failed.
   */
  post(lines: Line[], then: () => void = () => {}): void {
    const written = this.#write(lines).then(then)
    this.#posted = Promise.all([this.#posted, written]).then(() => {})
    this.#posted.catch(() => {}) // Told to the next append.
  }

  /** Waits for what was posted, and rejects if it failed. */
  async settled(): Promise<void> {
    await this.#posted
  }

  /** Puts on record, once for each limit, that the run goes on past a budget. */
  warn(past: readonly Overrun[]): void {
    const lines = past.map((over) => warnedLine(this.place, over)).filter(({ key }) => !this.#warned.has(key))
    for (const { key } of lines) this.#warned.add(key)
    if (lines.length > 0) this.post(lines)
  }

  async #write(lines: Line[], reserve?: Reserve): Promise<Answer> {
    const sentAt = performance.now()
    const answer = await this.deps.writer.append({
      run: this.place.runId,
      session: this.#owner,
      ...(reserve ? { reserve } : {}),
      lines,
    })
    if (isFenced(answer)) this.stop.now('fenced')
    else this.stop.acknowledge(sentAt)
    return answer
  }
}

/** Another session has taken over, or the run is gone: nothing more may be written. */
export function isFenced({ verdict }: Answer): boolean {
  return verdict === 'fenced' || verdict === 'no_run'
}
