import { type ModelPrice, type PerToken, PROVIDERS, PriceListView, PriceView } from '@devflow/contracts'
import {
  listPrices,
  type PricedModel,
  type PriceListState,
  readPriceLists,
  requestPriceRefresh,
} from '@devflow/db'
import { z } from 'zod'
import { named } from '../bodies.ts'
import type { ApiDeps } from '../deps.ts'
import { exactNumber } from '../exact-number.ts'
import { KEY_HEADER, KEY_PROBLEMS, keyed, keyedResponse, REPLAYED_HEADER } from '../keyed.ts'
import { preferredWait } from '../live/wait-for-run.ts'
import type { Operations } from '../operation.ts'
import { paging } from '../query.ts'

const MOST = 1_000
/** How long a refresh is waited for when nobody says, in seconds. */
const USUAL_WAIT = 3
const LOOK_MS = 100
const LISTED = 'openrouter'

const LIST = {
  provider: LISTED,
  refreshedAt: '2026-11-02T09:00:00.000Z',
  ageSeconds: 7200,
  attemptedAt: '2026-11-02T09:00:00.000Z',
  models: 412,
  leftOut: { price_depends: 3 },
}
const ListBody = named('PriceList', PriceListView.shape, LIST)
const PriceBody = named('Price', PriceView.shape)
const PricePage = named(
  'PricePage',
  { items: z.array(PriceBody), lists: z.array(ListBody), nextCursor: z.string().optional() },
  {
    items: [
      {
        provider: LISTED,
        model: 'openai/gpt-4o-mini',
        source: 'list',
        fetchedAt: '2026-11-02T09:00:00.000Z',
        ageSeconds: 7200,
        contextWindow: 128_000,
        price: { input: 0.15, output: 0.6, cacheRead: 0.075 },
      },
    ],
    lists: [LIST],
  },
)

export function pricingRoutes(operations: Operations, deps: ApiDeps): void {
  const { pool, closing } = deps
  operations.add(
    {
      method: 'get',
      path: '/v1/pricing',
      operationId: 'listPrices',
      scope: 'runs:read',
      summary: 'List prices of models, and their age',
      description:
        'The price in force of each model, in micro-dollars per token, `request` per call. `lists` tells how the reading of price lists stands.',
      tag: 'money',
      query: z.strictObject({
        provider: z.enum(PROVIDERS).optional().describe('Models of this provider.'),
        model: z.string().min(1).max(200).optional().describe('Models whose name holds this, in any case.'),
        ...paging(200, MOST),
      }),
      answers: { 200: { description: 'A page of prices.', schema: PricePage } },
      problems: ['bad_cursor'],
    },
    async ({ c, query: { cursor, limit, ...filter } }) => {
      const [{ items, ...rest }, lists] = await Promise.all([
        listPrices(pool, filter, { cursor, limit }),
        readPriceLists(pool),
      ])
      return c.json({ items: items.map(priceView), lists: lists.map(listView), ...rest })
    },
  )

  operations.add(
    {
      method: 'post',
      path: '/v1/pricing/refresh',
      operationId: 'refreshPrices',
      scope: 'admin',
      summary: 'Have the price list of OpenRouter read',
      description:
        'A worker reads it. A list that cannot be read changes no price: `error` says why, and prices known before hold.',
      tag: 'money',
      body: z.strictObject({}),
      bodyOptional: true,
      bodyExamples: { 'nothing to say': {} },
      headers: {
        ...KEY_HEADER,
        Prefer: `\`wait=N\`: how many seconds to wait for it, at most 120; else ${USUAL_WAIT}.`,
      },
      answers: {
        200: { description: 'It was read, or could not be.', schema: ListBody, headers: REPLAYED_HEADER },
        202: { description: 'It is asked for, and not read yet.', schema: ListBody },
      },
      problems: [...KEY_PROBLEMS],
    },
    async ({ c, body }) => {
      const seconds = preferredWait(c.req.header('prefer')) ?? USUAL_WAIT
      // What a repeat finds is how it stands by then: the list is read once for both.
      const asked = await keyed(c, deps, body, async (client) => ({
        status: 202,
        body: listView(await requestPriceRefresh(client, LISTED)),
        runId: null,
      }))
      const signal = AbortSignal.any([closing, c.req.raw.signal])
      const list = await attempted({ pool, until: performance.now() + seconds * 1_000, signal })
      const now = list && { body: listView(list), status: list.isAwaited ? 202 : 200 }
      return keyedResponse(c, { ...asked, ...now })
    },
  )
}

/** The list once an attempt was made since it was asked for, else as it stands when the time is up. */
async function attempted({
  pool,
  until,
  signal,
}: {
  pool: ApiDeps['pool']
  until: number
  signal: AbortSignal
}): Promise<PriceListState | undefined> {
  for (;;) {
    const list = (await readPriceLists(pool)).find(({ provider }) => provider === LISTED)
    if (!list?.isAwaited || signal.aborted || performance.now() + LOOK_MS > until) return list
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}

const age = (since: Date): number => Math.max(0, Math.floor((Date.now() - since.getTime()) / 1_000))

function listView({ isAwaited: _, failures: __, ...list }: PriceListState) {
  return { ...list, ...(list.refreshedAt ? { ageSeconds: age(list.refreshedAt) } : {}) }
}

function priceView({ price, fetchedAt, ...model }: PricedModel) {
  return { ...model, fetchedAt, ageSeconds: age(fetchedAt), price: ratesShown(price) }
}

/** Numbers digit by digit: a price may have more than a double. */
function ratesShown({ tiers, ...rates }: ModelPrice): object {
  const shown = (given: Record<string, PerToken | undefined>) =>
    Object.fromEntries(
      Object.entries(given).map(([kind, rate]) => [
        kind,
        rate === undefined ? undefined : exactNumber(`${rate}`),
      ]),
    )
  return {
    ...shown(rates),
    ...(tiers
      ? { tiers: tiers.map(({ fromInputTokens, ...tier }) => ({ fromInputTokens, ...shown(tier) })) }
      : {}),
  }
}
