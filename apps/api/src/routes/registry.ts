import {
  ChangeRegistry,
  DevflowError,
  EntryId,
  EntryKind,
  type RegistryChanged,
  RestoreRegistry,
} from '@devflow/contracts'
import { CursorText, keyOfCursor, listRegistryVersions, pageOf } from '@devflow/db'
import { compareIds } from '@devflow/definition'
import type { Context } from 'hono'
import type pg from 'pg'
import { z } from 'zod'
import type { ApiDeps } from '../deps.ts'
import { KEY_HEADER, keyed, keyedResponse } from '../keyed.ts'
import type { Env, Operations } from '../operation.ts'
import { paging, whole } from '../query.ts'
import { ChangedBody, EntryBody, EntryPage, SCHEMA_ENTRY, VersionPage } from '../registry/bodies.ts'
import { changeRegistry, restoreRegistry } from '../registry/change-registry.ts'
import { summaryOf, viewOf } from '../registry/entry-view.ts'
import { entryNotFound } from '../registry/live-registry.ts'
import { readChanges } from '../registry/plan-changes.ts'
import { Turns } from '../registry/turns.ts'

const tag = 'registry'

const ListQuery = z.strictObject({
  kind: EntryKind.optional(),
  namespace: z.string().max(200).optional(),
  ...paging(50, 200),
})

const REPLAYED = {
  description: 'The version that was made; or the first answer again, for a repeated Idempotency-Key.',
  schema: ChangedBody,
}

export function registryRoutes(operations: Operations, deps: ApiDeps): void {
  const { pool, tenant, registry } = deps
  const turns = new Turns()

  operations.add(
    {
      method: 'get',
      path: '/v1/registry/entries',
      operationId: 'listEntries',
      scope: 'registry:read',
      summary: 'List entries, in the order of their ids',
      description:
        'What is built in, what folders hold and what was made over HTTP. `version` is that of the registry.',
      tag,
      query: ListQuery,
      meta: true,
      answers: { 200: { description: 'A page of entries.', schema: EntryPage } },
      problems: ['bad_cursor'],
    },
    async ({ c, query: { kind, namespace, cursor, limit }, meta }) => {
      const state = await registry.current()
      const after = cursor === undefined ? undefined : keyOfCursor(cursor, z.tuple([CursorText]))[0]
      const wanted = Object.entries(meta)
      const found = state.registry
        .list({ kind: kind === 'function' ? undefined : kind, namespace })
        .filter(({ entry }) => kind === undefined || entry.kind === kind)
        .filter(({ entry }) => wanted.every(([name, value]) => hasMeta(entry.meta, name, value)))
        .filter(({ id }) => after === undefined || compareIds(id, after) > 0)
      const page = pageOf(found.slice(0, limit + 1), limit, summaryOf, ({ id }) => [id])
      return c.json({ ...page, version: state.version })
    },
  )

  operations.add(
    {
      method: 'get',
      path: '/v1/registry/entries/{id}',
      restOfPath: true,
      operationId: 'readEntry',
      scope: 'registry:read',
      summary: 'Read an entry with its content',
      description: 'Without a version, and where no entry has just that id, the newest version is read.',
      tag,
      params: {
        id: EntryId.meta({ description: 'The id; slashes may stand as they are.', example: SCHEMA_ENTRY.id }),
      },
      answers: { 200: { description: 'The entry.', schema: EntryBody } },
      problems: ['entry_not_found'],
    },
    async ({ c, params: { id = '' } }) => {
      const { registry: entries } = await registry.current()
      const found = entries.exact(id) ?? entries.get(id)
      if (!found) throw entryNotFound(id)
      return c.json(viewOf(found))
    },
  )

  operations.add(
    {
      method: 'post',
      path: '/v1/registry/changes',
      operationId: 'changeRegistry',
      scope: 'registry:write',
      summary: 'Change entries, all or nothing',
      description:
        'Every change makes a new version of the registry. The changed entries must be right, and every template that compiled before must still compile. Runs keep the definition they were submitted with; what is submitted afterwards uses the new entries.',
      tag,
      body: ChangeRegistry,
      bodyExamples: {
        'One entry': { changes: [{ op: 'create', entry: SCHEMA_ENTRY }] },
        'Based on a version': {
          baseVersion: 7,
          changes: [
            { op: 'create', entry: SCHEMA_ENTRY },
            { op: 'delete', entry: { id: 'acme:memo' } },
          ],
        },
      },
      headers: KEY_HEADER,
      answers: { 200: REPLAYED },
      problems: [
        'invalid_entry',
        'breaks_template',
        'entry_not_found',
        'entry_exists',
        'immutable_entry',
        'read_only_entry',
        'stale_base',
        'bad_idempotency_key',
        'idempotency_key_in_use',
        'idempotency_key_reused',
      ],
    },
    async ({ c, body, caller }) => {
      const wanted = await readChanges(body.changes)
      const asked = { actor: caller.principal, baseVersion: body.baseVersion, wanted }
      return await change(c, body, (client) => changeRegistry(deps, client, asked))
    },
  )

  operations.add(
    {
      method: 'get',
      path: '/v1/registry/versions',
      operationId: 'listRegistryVersions',
      scope: 'registry:read',
      summary: 'List the versions of the registry, newest first: who changed what when',
      description: 'Version 0, before the first change, is not listed.',
      tag,
      query: z.strictObject(paging(50, 200)),
      answers: { 200: { description: 'A page of versions.', schema: VersionPage } },
      problems: ['bad_cursor'],
    },
    async ({ c, query }) => c.json(await listRegistryVersions(pool, tenant, query)),
  )

  operations.add(
    {
      method: 'post',
      path: '/v1/registry/versions/{n}/restore',
      operationId: 'restoreRegistry',
      scope: 'registry:write',
      summary: 'Make the registry what it was at a version',
      description:
        'It becomes a new version; nothing of the history goes. 0 is the registry before its first change.',
      tag,
      params: { n: z.string().meta({ description: 'The version to restore.', example: '7' }) },
      body: RestoreRegistry,
      bodyOptional: true,
      bodyExamples: { 'Based on a version': { baseVersion: 9 } },
      headers: KEY_HEADER,
      answers: { 200: REPLAYED },
      problems: [
        'version_not_found',
        'invalid_entry',
        'breaks_template',
        'immutable_entry',
        'stale_base',
        'bad_idempotency_key',
        'idempotency_key_in_use',
        'idempotency_key_reused',
      ],
    },
    async ({ c, params: { n = '' }, body, caller }) => {
      const to = whole(0, 2_147_483_647).safeParse(n).data
      if (to === undefined) {
        throw new DevflowError(
          'NOT_FOUND',
          'version_not_found',
          `The registry has no version ${n.slice(0, 50)}.`,
        )
      }
      const asked = { actor: caller.principal, baseVersion: body.baseVersion, to }
      return await change(c, body, (client) => restoreRegistry(deps, client, asked))
    },
  )

  const change = async (
    c: Context<Env>,
    body: unknown,
    work: (client: pg.PoolClient) => Promise<RegistryChanged>,
  ): Promise<Response> => {
    const answer = await turns.take(async () => {
      // Read outside of the transaction, which holds a lock that other processes wait for.
      await registry.current()
      return await keyed(c, deps, body, async (client) => ({
        status: 200,
        body: await work(client),
        runId: null,
      }))
    })
    return keyedResponse(c, answer)
  }
}

const hasMeta = (meta: Record<string, string> | undefined, name: string, value: string): boolean =>
  meta !== undefined && Object.hasOwn(meta, name) && meta[name] === value
