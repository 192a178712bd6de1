import type { ChunkKind } from '@devflow/contracts'
import type { Answer, ChunkLine, GroupWriter, Line, Member } from '@devflow/db'
import { ownerId, type Place } from './place.ts'
import { isFenced } from './session.ts'

/**
 * Brings a call's stream into the log. One member of the session is in flight; what streams meanwhile becomes the
 * next, so a slow disk makes members larger and never more numerous.
 */
export class ChunkPump {
  readonly #writer: GroupWriter
  readonly #place: Place
  readonly #epoch: number
  readonly #turn: number
  readonly #call: number
  readonly #onFenced: () => void
  /** What is not for readers of the turn streams nothing to them. */
  readonly #isShown: boolean
  #lines: Line[] = []
  #count = 0
  #inFlight: Promise<void> | undefined
  #failure: unknown

  constructor(
    writer: GroupWriter,
    place: Place,
    epoch: number,
    turn: number,
    call: number,
    onFenced: () => void,
    isShown = true,
  ) {
    this.#writer = writer
    this.#place = place
    this.#epoch = epoch
    this.#turn = turn
    this.#call = call
    this.#onFenced = onFenced
    this.#isShown = isShown
  }

  /** Whether anything was streamed: then a broken call needs a reset. */
  get hasStreamed(): boolean {
    return this.#count > 0
  }

  add(line: Line): void {
    this.#lines.push(line)
    this.#inFlight ??= this.#drain()
  }

  chunk(kind: ChunkKind, text: string): void {
    if (text !== '' && this.#isShown) this.add(this.#chunk(kind, text))
  }

  /** Takes what is not on its way yet, with the mark of the end: to be committed together with the turn. */
  end(): Line[] {
    const lines = [...this.#lines, ...(this.#isShown ? [this.#chunk('done')] : [])]
    this.#lines = []
    return lines
  }

  /** The line that voids all this turn has streamed so far; what was not sent yet is dropped. */
  reset(): Line[] {
    this.#lines = this.#lines.filter(({ type }) => type !== 'chunk')
    const rest = this.#lines
    this.#lines = []
    if (!this.hasStreamed) return rest
    return [...rest, resetLine(this.#place, this.#epoch, this.#turn, this.#call)]
  }

  /** Rejects when a piece could not be stored. */
  async settled(): Promise<void> {
    await this.#inFlight
    if (this.#failure !== undefined) throw this.#failure
  }

  async #drain(): Promise<void> {
    // Pieces that come in the same turn of the event loop go together, and with the turn itself if that is all of it.
    await new Promise((resolve) => setImmediate(resolve))
    try {
      while (this.#lines.length > 0) {
        const lines = this.#lines
        this.#lines = []
        const answer = await this.#append(lines)
        if (isFenced(answer)) {
          this.#onFenced()
          return
        }
      }
      this.#inFlight = undefined
    } catch (error) {
      this.#failure = error
    }
  }

  #append(lines: Line[]): Promise<Answer> {
    const member: Member = {
      run: this.#place.runId,
      session: { id: ownerId(this.#place), epoch: this.#epoch },
      lines,
    }
    return this.#writer.append(member)
  }

  #chunk(kind: ChunkKind, text?: string): ChunkLine {
    this.#count += 1
    const { phase, attempt } = this.#place
    return {
      type: 'chunk',
      key: `${phase}/${attempt}/${this.#turn}/${this.#call}/${this.#count}`,
      phase,
      attempt,
      turn: this.#turn,
      delivery: this.#epoch,
      kind,
      ...(text === undefined ? {} : { text }),
    }
  }
}

/** Voids what a turn streamed in one of its calls. */
export function resetLine(place: Place, epoch: number, turn: number, call: number): ChunkLine {
  const { phase, attempt } = place
  return {
    type: 'chunk.reset',
    key: `${phase}/${attempt}/${turn}/${call}/reset`,
    phase,
    attempt,
    turn,
    delivery: epoch,
  }
}
