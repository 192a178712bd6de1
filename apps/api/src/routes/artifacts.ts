import { DevflowError } from '@devflow/contracts'
import { listArtifacts, readArtifact } from '@devflow/db'
import type { Context } from 'hono'
import { z } from 'zod'
import { prefers } from '../accept.ts'
import { ArtifactPage, ReportBody } from '../bodies.ts'
import type { ApiDeps } from '../deps.ts'
import { findRun, NO_RUN } from '../find-run.ts'
import type { Env, Operations } from '../operation.ts'
import { whole } from '../query.ts'
import { REPORT_SCHEMA_PATH } from './schemas.ts'

const CONDITION = { 'If-None-Match': 'ETags that are known: 304 when one of them is current.' }
const TAGGED = { ETag: 'The SHA-256 of the content.' }
const UNCHANGED = { description: 'What If-None-Match names is current.', headers: TAGGED }
const tag = 'artifacts'

export function artifactRoutes(operations: Operations, deps: ApiDeps): void {
  const { pool, tenant } = deps

  operations.add(
    {
      method: 'get',
      path: '/v1/runs/{id}/artifacts',
      operationId: 'listArtifacts',
      scope: ['runs:read', 'gates:decide'],
      summary: 'List the artifacts of a run, all versions',
      tag,
      answers: { 200: { description: 'The artifacts.', schema: ArtifactPage } },
      problems: NO_RUN,
    },
    async ({ c, params: { id = '' } }) => {
      await findRun(pool, tenant, id)
      return c.json({ items: await listArtifacts(pool, id) })
    },
  )

  operations.add(
    {
      method: 'get',
      path: '/v1/runs/{id}/artifacts/{name}',
      operationId: 'readArtifact',
      scope: ['runs:read', 'gates:decide'],
      summary: 'Read an artifact, its latest version unless told',
      tag,
      query: z.strictObject({
        version: whole(1, 2 ** 31 - 1)
          .optional()
          .describe('The latest when absent.'),
      }),
      headers: CONDITION,
      answers: {
        200: {
          description: 'Its content, with its media type.',
          other: { '*/*': 'The content.' },
          headers: TAGGED,
        },
        304: UNCHANGED,
      },
      problems: [...NO_RUN, 'artifact_not_found'],
    },
    async ({ c, params: { id = '', name = '' }, query: { version } }) => {
      await findRun(pool, tenant, id)
      const artifact = await readArtifact(pool, id, name, version)
      if (!artifact) {
        throw new DevflowError('NOT_FOUND', 'artifact_not_found', 'The run has no such artifact, or not yet.')
      }
      return contentResponse(c, artifact)
    },
  )

  operations.add(
    {
      method: 'get',
      path: '/v1/runs/{id}/report',
      operationId: 'readReport',
      scope: 'runs:read',
      summary: 'Read the report of a run',
      tag,
      description: 'JSON, or Markdown where `Accept` names `text/markdown` first.',
      headers: CONDITION,
      answers: {
        200: {
          description: 'The report.',
          schema: ReportBody,
          other: { 'text/markdown': 'The report in Markdown.' },
          headers: { ...TAGGED, Link: 'where the schema of the JSON is' },
        },
        304: UNCHANGED,
      },
      problems: [...NO_RUN, 'no_report'],
    },
    async ({ c, params: { id = '' } }) => {
      await findRun(pool, tenant, id)
      const isMarkdown = prefers(c.req.header('accept'), 'text/markdown')
      const name = isMarkdown ? 'report.md' : 'report.json'
      const report = await readArtifact(pool, id, name)
      if (!report)
        throw new DevflowError('CONFLICT', 'no_report', 'There is no report of this run, or not yet.')
      if (!isMarkdown) c.header('link', `<${REPORT_SCHEMA_PATH}>; rel="describedby"`)
      return contentResponse(c, report)
    },
  )
}

function contentResponse(
  c: Context<Env>,
  { sha256, mediaType, content }: { sha256: string; mediaType: string; content: Buffer },
): Response {
  const etag = `"${sha256}"`
  c.header('etag', etag)
  // Content comes from models: whatever it calls itself, no browser may run it in this origin.
  c.header('content-security-policy', "default-src 'none'; sandbox")
  const known = (c.req.header('if-none-match') ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  if (known.includes(etag) || known.includes('*')) return c.body(null, 304)
  const isText = /^(text\/|application\/(json|.*\+json))/.test(mediaType) && !/charset/i.test(mediaType)
  c.header(
    'content-type',
    isText && mediaType.startsWith('text/') ? `${mediaType}; charset=utf-8` : mediaType,
  )
  return c.body(new Uint8Array(content))
}
