import { Access } from './access.ts'
import { Budgets } from './budgets.ts'
import { type ExecuteOptions, type Execution, execute } from './execute.ts'
import { Gates } from './gates.ts'
import { Health } from './health.ts'
import type { ClientOptions } from './options.ts'
import { type Poke, type PokeOptions, pokes } from './pokes.ts'
import { Pricing } from './pricing.ts'
import { Registry } from './registry.ts'
import { Runs } from './runs.ts'
import { Schedules } from './schedules.ts'
import { Signals } from './signals.ts'
import { Topics } from './topics.ts'
import { Transport } from './transport.ts'
import { Triggers } from './triggers.ts'
import { Usage } from './usage.ts'
import { Webhooks } from './webhooks.ts'

/**
 * Devflow's HTTP API. Every method rejects with a DevflowError, or with the reason of the signal that ended it. What
 * fails in passing is tried again, a POST under one Idempotency-Key, so that it is done once.
 */
export class DevflowClient {
  readonly runs: Runs
  readonly gates: Gates
  readonly signals: Signals
  readonly topics: Topics
  readonly triggers: Triggers
  readonly schedules: Schedules
  readonly webhooks: Webhooks
  readonly registry: Registry
  readonly budgets: Budgets
  readonly usage: Usage
  readonly pricing: Pricing
  readonly access: Access
  readonly health: Health
  readonly #transport: Transport

  /** Throws ValidationError when `baseUrl` or `token` is none. */
  constructor(options: ClientOptions = {}) {
    this.#transport = new Transport(options)
    this.runs = new Runs(this.#transport)
    this.gates = new Gates(this.#transport)
    this.signals = new Signals(this.#transport)
    this.topics = new Topics(this.#transport)
    this.triggers = new Triggers(this.#transport)
    this.schedules = new Schedules(this.#transport)
    this.webhooks = new Webhooks(this.#transport)
    this.registry = new Registry(this.#transport)
    this.budgets = new Budgets(this.#transport)
    this.usage = new Usage(this.#transport)
    this.pricing = new Pricing(this.#transport)
    this.access = new Access(this.#transport)
    this.health = new Health(this.#transport)
  }

  /**
   * Submits a run and waits for its output. Rejects with ExecutionError when the run failed or was canceled, and, unless
   * `whenWaiting` is `wait`, as soon as it waits for someone; it goes on waiting there.
   */
  execute<Output = unknown>(
    template: string,
    input?: unknown,
    options?: ExecuteOptions,
  ): Promise<Execution<Output>> {
    return execute(this.runs, template, input, options)
  }

  /** Pokes about many runs, or gates, without end: at least once, the latest state alone. */
  stream(options: PokeOptions & { kind: 'gates' }): AsyncGenerator<Poke & { type: 'gate' }, never, undefined>
  stream(options?: PokeOptions & { kind?: 'runs' }): AsyncGenerator<Poke & { type: 'run' }, never, undefined>
  stream(options: PokeOptions = {}): AsyncGenerator<Poke, never, undefined> {
    return pokes(this.#transport, options)
  }
}
