import pg from 'pg'

/** Told of notifications. What it throws is reported and changes nothing for others. */
export interface Subscriber {
  /** Somebody poked the channel. */
  notified(payload: string): void
  /** Pokes may have been lost: look for yourself. Also told at the first connection. */
  lookAgain?(): void
}

export interface ListenerOptions {
  /** Told when the connection is lost or cannot be made, and when a subscriber throws. */
  onProblem?: (error: unknown) => void
  /** The connection is asked for a sign of life this often, in ms; 10,000 unless told. */
  pingMs?: number
}

const SHORTEST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 2_000

/**
 * One LISTEN connection for a whole process. States: connecting → listening → lost → (pause) → connecting …; closed.
 * Each time it comes to listen, subscribers are told to look again, since pokes go nowhere while nobody listens.
 * It connects directly: a pooler in transaction mode would lose its LISTEN.
 */
export class Listener {
  readonly #databaseUrl: string
  readonly #onProblem: (error: unknown) => void
  readonly #pingMs: number
  readonly #subscribers = new Map<string, Set<Subscriber>>()
  #client: pg.Client | undefined
  #listening = false
  readonly #followers = new Set<object>()
  /** Settles with the question asked last. */
  #asked: Promise<unknown> = Promise.resolve()
  #closed = false
  #wakeUp: (() => void) | undefined
  readonly #running: Promise<void>

  /** Begins to listen at once; Postgres may be away. */
  constructor(databaseUrl: string, { onProblem = () => {}, pingMs = 10_000 }: ListenerOptions = {}) {
    this.#databaseUrl = databaseUrl
    this.#onProblem = onProblem
    this.#pingMs = pingMs
    this.#running = this.#run()
  }

  /** Whether pokes reach this process right now. */
  get listening(): boolean {
    return this.#listening
  }

  /** Subscribes to a channel until the returned function is called. */
  subscribe(channel: string, subscriber: Subscriber): () => void {
    const others = this.#subscribers.get(channel)
    if (others) others.add(subscriber)
    else {
      this.#subscribers.set(channel, new Set([subscriber]))
      if (this.#listening) void this.#listen(channel).then(() => this.#tell(() => subscriber.lookAgain?.()))
    }
    return () => {
      // The channel stays listened to: channels are few and known.
      this.#subscribers.get(channel)?.delete(subscriber)
    }
  }

  /**
   * Says that somebody follows runs line by line, until the returned function is called: appends tell of turns and chunks
   * only while anyone does. Subscribers are told to look again once they will be told.
   */
  follow(): () => void {
    const follower = {}
    this.#followers.add(follower)
    if (this.#followers.size === 1 && this.#listening)
      void this.#tellOfFollowers().then(() => this.#lookAgain())
    return () => {
      const isLast = this.#followers.delete(follower) && this.#followers.size === 0
      if (isLast && this.#listening) void this.#tellOfFollowers()
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#wakeUp?.()
    await this.#running
  }

  async #run(): Promise<void> {
    for (let pause = SHORTEST_PAUSE_MS; !this.#closed; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      try {
        await this.#connectAndListen(() => {
          pause = SHORTEST_PAUSE_MS
        })
      } catch (error) {
        if (!this.#closed) this.#onProblem(error)
      }
      this.#listening = false
      if (!this.#closed) await this.#sleep(pause)
    }
  }

  /** Resolves or throws when the connection has ended. */
  async #connectAndListen(onListening: () => void): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#databaseUrl,
      keepAlive: true,
      application_name: 'devflow-listener',
      connectionTimeoutMillis: 2_000,
      query_timeout: 5_000,
    })
    this.#client = client
    this.#asked = Promise.resolve()
    const ended = new Promise<void>((resolve) => client.once('end', resolve))
    client.on('error', this.#onProblem)
    client.on('notification', ({ channel, payload }) => {
      for (const subscriber of this.#subscribers.get(channel) ?? []) {
        this.#tell(() => subscriber.notified(payload ?? ''))
      }
    })
    try {
      await client.connect()
      for (const channel of this.#subscribers.keys()) await this.#listen(channel)
      this.#listening = true
      if (this.#followers.size > 0) await this.#tellOfFollowers()
      onListening()
      this.#lookAgain()
      while (this.#listening && !this.#closed) {
        if ((await Promise.race([ended.then(() => 'ended'), this.#sleep(this.#pingMs)])) === 'ended') return
        // A peer that is gone without a word (a frozen host, a dropped route) answers no ping.
        if (!this.#closed) await this.#ask('select 1')
      }
    } finally {
      this.#wakeUp?.()
      client.removeAllListeners('notification')
      await Promise.race([
        client.end().catch(this.#onProblem),
        new Promise((resolve) => setTimeout(resolve, 1_000).unref()),
      ])
    }
  }

  async #listen(channel: string): Promise<void> {
    await this.#ask(`listen ${pg.escapeIdentifier(channel)}`)
  }

  async #tellOfFollowers(): Promise<void> {
    await this.#ask('select devflow.follow($1)', [this.#followers.size > 0])
  }

  /** One question at a time. Never throws: on an error the connection is made anew, with all that is wanted of it. */
  async #ask(text: string, values?: unknown[]): Promise<void> {
    const client = this.#client
    const asked = this.#asked.then(() => client?.query(text, values))
    this.#asked = asked.catch(() => {})
    try {
      await asked
    } catch (error) {
      if (client !== this.#client) return // That connection was given up before.
      this.#onProblem(error)
      this.#listening = false
      this.#wakeUp?.()
    }
  }

  #lookAgain(): void {
    for (const subscribers of this.#subscribers.values()) {
      for (const subscriber of subscribers) this.#tell(() => subscriber.lookAgain?.())
    }
  }

  #tell(word: () => void): void {
    try {
      word()
    } catch (error) {
      this.#onProblem(error)
    }
  }

  /** Sleeps, until it is woken at close. */
  async #sleep(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wakeUp = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
