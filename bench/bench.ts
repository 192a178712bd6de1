import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { freePorts } from '@devflow/local-stack'
import pg from 'pg'
import { type Peer, type PeerName, startPeer } from './peers.ts'
import { type Stack, startStack } from './stack.ts'

/** What scenarios share: one stack, and peers on the same machine and the same Postgres; each started when it is needed. */
export class Bench {
  readonly folder: string
  readonly rounds: number
  #stack: Promise<Stack> | undefined
  readonly #peers = new Map<PeerName, Promise<Peer | undefined>>()

  constructor(folder: string, rounds: number) {
    this.folder = folder
    this.rounds = rounds
  }

  /** `env`: what the stack is told besides, by whoever asks first. */
  stack(env: Record<string, string> = {}): Promise<Stack> {
    this.#stack ??= startStack(join(this.folder, 'stack'), env)
    return this.#stack
  }

  /** A fresh database on the stack's Postgres. */
  async database(name: string): Promise<string> {
    const { databaseUrl } = (await this.stack()).endpoints
    const unique = `${name}_${randomBytes(4).toString('hex')}`
    const client = new pg.Client(databaseUrl)
    await client.connect()
    await client.query(`create database ${unique}`)
    await client.end()
    return Object.assign(new URL(databaseUrl), { pathname: `/${unique}` }).href
  }

  /** A running peer; undefined where it cannot be had here, which is said aloud. */
  peer(name: PeerName): Promise<Peer | undefined> {
    const known = this.#peers.get(name)
    if (known) return known
    const starting = this.#environmentOf(name)
      .then((env) => startPeer(name, env))
      .catch((error: unknown) => {
        console.error(`${name} cannot be had here: ${error instanceof Error ? error.message : error}`)
        return undefined
      })
    this.#peers.set(name, starting)
    return starting
  }

  /** Ends all that was started. */
  async close(): Promise<void> {
    const peers = await Promise.all(this.#peers.values())
    await Promise.all(peers.map((peer) => peer?.stop()))
    await (await this.#stack)?.stop()
  }

  async #environmentOf(name: PeerName): Promise<Record<string, string>> {
    if (name === 'dbos') return { BENCH_DATABASE_URL: await this.database('dbos') }
    if (name === 'temporal') return { BENCH_TEMPORAL_ADDRESS: (await this.stack()).endpoints.temporalAddress }
    return {
      BENCH_FOLDER: join(this.folder, 'restate'),
      BENCH_PORTS: (await freePorts(4)).join(','),
    }
  }
}
