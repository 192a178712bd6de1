import type { BoundPersona, Model, ModelPrice } from '@devflow/contracts'
import { type Queryable, readPrices } from '@devflow/db'

/** What calls of a persona are charged by: its own model's price first, then those of its fallbacks. */
export type PersonaPrices = [own: ModelPrice | undefined, ...fallbacks: (ModelPrice | undefined)[]]

const FREE: ModelPrice = { input: 0, output: 0 }

/** Providers that bill nobody, whatever their models are called. */
const FREE_PROVIDERS: readonly Model['provider'][] = ['offline', 'scripted', 'terminal', 'ollama']

/** The prices of these personas' models, by persona. */
export async function pricesOf(
  db: Queryable,
  personas: readonly BoundPersona[],
): Promise<Map<string, PersonaPrices>> {
  const asked = personas.map(({ id, model }) => ({
    id,
    model,
    sought: [model.name, ...(model.fallbacks ?? [])].map((name) => ({
      provider: model.provider,
      model: name,
    })),
  }))
  const found = await readPrices(
    db,
    asked.flatMap(({ sought }) => sought),
  )
  let at = 0
  return new Map(
    asked.map(({ id, model, sought }) => {
      const listed = found.slice(at, at + sought.length).map((one) => one?.price)
      at += sought.length
      const free = FREE_PROVIDERS.includes(model.provider) ? FREE : undefined
      const [own, ...others] = listed
      return [id, [model.pricing ?? free ?? own, ...others.map((price) => free ?? price)] as PersonaPrices]
    }),
  )
}
