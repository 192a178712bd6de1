import { Decimal } from 'decimal.js'
import { microUsd } from '../fake-openrouter/prices.ts'

/** Few texts have less than so many characters to a token. */
const CHARACTERS_PER_TOKEN = 2

/** USD per token. */
export interface Price {
  prompt: Decimal
  completion: Decimal
}

/** What a chat request asks for, as far as its cost goes. */
interface Asked {
  model?: unknown
  max_tokens?: unknown
}

/** Keeps a sum below a limit: what a call may cost is taken before it is sent, what it has cost replaces that. */
export class Spending {
  readonly #limit: Decimal
  readonly #taken = new Map<number, Decimal>()
  readonly #billed = new Map<number, Decimal>()

  constructor(limitMicroUsd: number) {
    this.#limit = new Decimal(limitMicroUsd)
  }

  /** Why the call must not be sent; undefined when it may, and what it may cost is then taken. */
  refusal(n: number, asked: Asked, characters: number, prices: Map<string, Price>): string | undefined {
    const price = prices.get(String(asked.model))
    if (!price) return `the price of ${asked.model} is not known`
    if (typeof asked.max_tokens !== 'number') return 'the request does not bound its output (max_tokens)'
    const most = microUsd(
      price.prompt
        .times(Math.ceil(characters / CHARACTERS_PER_TOKEN))
        .plus(price.completion.times(asked.max_tokens)),
    )
    const sum = this.#sum().plus(most)
    if (sum.greaterThan(this.#limit))
      return `with it the sum may become ${sum} micro-dollars, and ${this.#limit} are the limit`
    this.#taken.set(n, most)
    return undefined
  }

  /** What the provider says. A call it says nothing of keeps what was taken. */
  billed(n: number, usd: number | undefined): void {
    if (usd === undefined) return
    this.#taken.delete(n)
    this.#billed.set(n, microUsd(new Decimal(usd)))
  }

  /** What the provider has said so far. */
  billedMicroUsd(): number {
    return Decimal.sum(0, ...this.#billed.values()).toNumber()
  }

  /** Calls of which the provider did not say what they cost. */
  unknown(): number {
    return this.#taken.size
  }

  #sum(): Decimal {
    return Decimal.sum(0, ...this.#billed.values(), ...this.#taken.values())
  }
}

/** The answer of `/models`: prices by model. A price below zero means that it depends. */
export function pricesIn(answer: unknown): Map<string, Price> {
  const { data } = answer as { data: { id: string; pricing: { prompt: string; completion: string } }[] }
  return new Map(
    data
      .map(({ id, pricing }) => {
        const price = { prompt: new Decimal(pricing.prompt), completion: new Decimal(pricing.completion) }
        return [id, price] as const
      })
      .filter(([, { prompt, completion }]) => !prompt.isNegative() && !completion.isNegative()),
  )
}
