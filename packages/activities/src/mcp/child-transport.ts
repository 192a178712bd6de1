import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { type JSONRPCMessage, JSONRPCMessageSchema } from '@modelcontextprotocol/sdk/types.js'
import { CapturedOutput, type ConfinedChild } from '../sandbox/index.ts'

/** A message of more bytes ends the server: it would fill our memory. */
const LONGEST_MESSAGE = 8 * 1024 * 1024
const KEPT_WORDS = 4_000

/** Messages over the standard streams of a child in the sandbox, one a line. */
export class ChildTransport implements Transport {
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: (message: JSONRPCMessage) => void
  readonly #child: ConfinedChild
  readonly #words = new CapturedOutput(KEPT_WORDS)
  #pieces: Buffer[] = []
  #bytes = 0

  constructor(child: ConfinedChild) {
    this.#child = child
  }

  async start(): Promise<void> {
    const { stdin, stdout, stderr } = this.#child.process
    stdout?.on('data', (piece: Buffer) => this.#take(piece))
    stderr?.on('data', (piece: Buffer) => this.#words.push(piece))
    stdin?.on('error', (error) => this.onerror?.(error))
    this.#child.ended.then(
      () => this.onclose?.(),
      (error: unknown) => {
        this.onerror?.(error instanceof Error ? error : new Error(String(error)))
        this.onclose?.()
      },
    )
  }

  send(message: JSONRPCMessage): Promise<void> {
    const { stdin } = this.#child.process
    return new Promise((resolve, reject) => {
      if (!stdin?.writable) reject(new Error('the server has ended'))
      else stdin.write(`${JSON.stringify(message)}\n`, (error) => (error ? reject(error) : resolve()))
    })
  }

  async close(): Promise<void> {
    this.#child.kill()
    await this.#child.ended.catch(() => {}) // It never started: it is gone as well.
  }

  /** What it said on its standard error. */
  get words(): string {
    return this.#words.text().trim()
  }

  #take(piece: Buffer): void {
    let rest = piece
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      this.#read(Buffer.concat([...this.#pieces, rest.subarray(0, end)]).toString('utf8'))
      this.#pieces = []
      this.#bytes = 0
      rest = rest.subarray(end + 1)
    }
    this.#bytes += rest.length
    if (rest.length > 0) this.#pieces.push(rest)
    if (this.#bytes <= LONGEST_MESSAGE) return
    this.#pieces = []
    this.onerror?.(new Error(`a message of more than ${LONGEST_MESSAGE} bytes`))
    this.#child.kill()
  }

  #read(line: string): void {
    if (line.trim() === '') return
    const message = JSONRPCMessageSchema.safeParse(parsed(line))
    if (message.success) this.onmessage?.(message.data)
    else this.onerror?.(new Error('a line that is no message'))
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
