import type { SendSignal, SignalAccepted } from '@devflow/contracts'
import type { PostOptions } from './options.ts'
import { path } from './paths.ts'
import type { Transport } from './transport.ts'

/** Signals, which wait phases wait for. */
export class Signals {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** Sends a signal to a run; one that comes before its wait phase is kept. The same `id` counts once. */
  async send(run: string, name: string, signal?: SendSignal, options?: PostOptions): Promise<SignalAccepted> {
    return await this.#transport.post(path`/v1/runs/${run}/signals/${name}`, signal ?? {}, options)
  }
}
