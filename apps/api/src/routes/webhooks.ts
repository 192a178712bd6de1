import { randomBytes } from 'node:crypto'
import { DeliveryStatus, DevflowError, PutWebhook, SourceId, type Webhook } from '@devflow/contracts'
import {
  deleteWebhook,
  keptSecret,
  listDeliveries,
  listWebhooks,
  putWebhook,
  type Queryable,
  readWebhook,
  renewSecret,
  replayDeliveries,
} from '@devflow/db'
import { z } from 'zod'
import { DeliveryPage, ReplayedBody, WebhookBody, WebhookPage, WebhookSecretBody } from '../bodies.ts'
import type { ApiDeps } from '../deps.ts'
import { DELIVERY, WEBHOOK } from '../examples.ts'
import { KEY_HEADER, KEY_PROBLEMS, keyed, keyedResponse, REPLAYED, REPLAYED_HEADER } from '../keyed.ts'
import { type Operations, parsed } from '../operation.ts'
import { paging } from '../query.ts'

const ID = { id: SourceId.meta({ description: 'The id of the webhook.', example: WEBHOOK.id }) }
const tag = 'webhooks'

/** As Standard Webhooks writes them: 24 to 64 bytes in base64 behind a prefix. */
const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`

const notFound = (id: string) =>
  new DevflowError('NOT_FOUND', 'webhook_not_found', `There is no webhook ${id.slice(0, 64)}.`)

/** Webhooks: addresses told of what happens in runs. */
export function webhookRoutes(operations: Operations, deps: ApiDeps): void {
  const { pool, tenant } = deps
  const found = async (id: string, db: Queryable = pool): Promise<Webhook> => {
    const webhook = await readWebhook(db, tenant, id)
    if (!webhook) throw notFound(id)
    return webhook
  }

  operations.add(
    {
      method: 'get',
      path: '/v1/webhooks',
      operationId: 'listWebhooks',
      scope: 'admin',
      summary: 'List webhooks',
      tag,
      query: z.strictObject(paging(100, 500)),
      answers: { 200: { description: 'A page of webhooks, by id.', schema: WebhookPage } },
      problems: ['bad_cursor'],
    },
    async ({ c, query }) => c.json(await listWebhooks(pool, tenant, query)),
  )

  operations.add(
    {
      method: 'get',
      path: '/v1/webhooks/{id}',
      operationId: 'readWebhook',
      scope: 'admin',
      summary: 'Read a webhook; its secret is not shown again',
      tag,
      params: ID,
      answers: { 200: { description: 'The webhook.', schema: WebhookBody } },
      problems: ['webhook_not_found'],
    },
    async ({ c, params: { id = '' } }) => c.json(await found(id)),
  )

  operations.add(
    {
      method: 'put',
      path: '/v1/webhooks/{id}',
      operationId: 'putWebhook',
      scope: 'admin',
      summary: 'Make a webhook, or change it',
      description:
        'It is told of events from now on, at least once each, signed by the Standard Webhooks specification. A change keeps the secret, and switches on again what was switched off.',
      tag,
      params: ID,
      body: PutWebhook.meta({ id: 'PutWebhook' }),
      bodyExamples: { 'Ends and gates': { url: WEBHOOK.url, events: WEBHOOK.events } },
      answers: {
        201: { description: 'It is made: the secret is shown this once.', schema: WebhookBody },
        200: { description: 'It is changed.', schema: WebhookBody },
      },
      problems: [],
    },
    async ({ c, params, body, caller }) => {
      const id = parsed('The id', SourceId, params.id)
      const secret = newSecret()
      const made = await putWebhook(pool, { tenant, id, actor: caller.principal, secret }, body)
      const webhook = await found(id)
      return made ? c.json({ ...webhook, secret }, 201) : c.json(webhook)
    },
  )

  operations.add(
    {
      method: 'delete',
      path: '/v1/webhooks/{id}',
      operationId: 'deleteWebhook',
      scope: 'admin',
      summary: 'Delete a webhook, with what it was still to be told',
      tag,
      params: ID,
      answers: { 204: { description: 'It is deleted.' } },
      problems: ['webhook_not_found'],
    },
    async ({ c, params: { id = '' } }) => {
      if (!(await deleteWebhook(pool, tenant, id))) throw notFound(id)
      return c.body(null, 204)
    },
  )

  operations.add(
    {
      method: 'post',
      path: '/v1/webhooks/{id}/secret',
      operationId: 'renewWebhookSecret',
      scope: 'admin',
      summary: 'Give a webhook a new secret; the one before signs as well for a day',
      tag,
      params: ID,
      headers: KEY_HEADER,
      answers: {
        200: {
          description: 'The secret, shown this once; for a repeated Idempotency-Key the one in force.',
          schema: WebhookSecretBody,
          headers: REPLAYED_HEADER,
        },
      },
      problems: ['webhook_not_found', ...KEY_PROBLEMS],
    },
    async ({ c, params: { id = '' } }) => {
      const made = newSecret()
      const answer = await keyed(c, deps, undefined, async (client) => {
        const oldUntil = await renewSecret(client, { tenant, id, secret: made })
        if (oldUntil === undefined) throw notFound(id)
        return { status: 200, body: { id, oldUntil }, runId: null }
      })
      // Secrets stand in one place: what the key keeps has none.
      const secret = answer.replayed ? await keptSecret(pool, tenant, id) : made
      if (secret === undefined) throw notFound(id)
      return keyedResponse(c, { ...answer, body: { ...Object(answer.body), secret } })
    },
  )

  operations.add(
    {
      method: 'get',
      path: '/v1/webhooks/{id}/deliveries',
      operationId: 'listDeliveries',
      scope: 'admin',
      summary: 'List what a webhook was told, or is to be told, newest first',
      tag,
      params: ID,
      query: z.strictObject({ status: DeliveryStatus.optional(), ...paging(100, 500) }),
      answers: { 200: { description: 'A page of deliveries.', schema: DeliveryPage } },
      problems: ['webhook_not_found', 'bad_cursor'],
    },
    async ({ c, params: { id = '' }, query: { status, ...page } }) => {
      await found(id)
      return c.json(await listDeliveries(pool, { tenant, webhook: id, status }, page))
    },
  )

  operations.add(
    {
      method: 'post',
      path: '/v1/webhooks/{id}/replay',
      operationId: 'replayDeliveries',
      scope: 'admin',
      summary: 'Try dead deliveries anew: one, or all',
      tag,
      params: ID,
      body: z.strictObject({ delivery: z.string().max(40).optional() }).meta({ id: 'ReplayDeliveries' }),
      bodyOptional: true,
      bodyExamples: { One: { delivery: DELIVERY.id }, All: {} },
      headers: KEY_HEADER,
      answers: {
        202: { description: 'So many are due again.', schema: ReplayedBody },
        200: { description: REPLAYED, schema: ReplayedBody, headers: REPLAYED_HEADER },
      },
      problems: ['webhook_not_found', ...KEY_PROBLEMS],
    },
    async ({ c, params: { id = '' }, body }) => {
      const answer = await keyed(c, deps, body, async (client) => {
        await found(id, client)
        const replayed = await replayDeliveries(client, { tenant, webhook: id, message: body.delivery })
        return { status: 202, body: { replayed }, runId: null }
      })
      return keyedResponse(c, answer)
    },
  )
}
