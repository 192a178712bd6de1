import { DevflowError } from '@devflow/contracts'
import { z } from 'zod'
import type { ApiDeps } from '../deps.ts'
import { llmsFullTxt, llmsTxt } from '../manual.ts'
import type { Api, Operations } from '../operation.ts'
import type { DocumentShape } from '../reference/shapes.ts'

const tag = 'docs'

/** The document, a page that renders it without anything from elsewhere, and the manual as Markdown. */
export function docsRoutes(operations: Operations, api: Api, { manual }: ApiDeps): void {
  // Made once, when first asked for, which is seldom: by then every operation is there.
  let made: ReturnType<typeof make> | undefined
  const make = async () => {
    const [{ openApiDocument }, { POLICY, referencePage }] = await Promise.all([
      import('../document.ts'),
      import('../reference/page.ts'),
    ])
    const document = openApiDocument(api)
    return { document, page: referencePage(document as unknown as DocumentShape, manual), policy: POLICY }
  }
  const reference = () => {
    made ??= make()
    return made
  }

  operations.add(
    {
      method: 'get',
      path: '/openapi.json',
      operationId: 'readOpenApi',
      scope: 'any',
      summary: 'This document',
      tag,
      answers: {
        200: { description: 'OpenAPI 3.1.', schema: z.looseObject({}), example: { openapi: '3.1.0' } },
      },
    },
    async ({ c }) => c.json((await reference()).document),
  )

  operations.add(
    {
      method: 'get',
      path: '/docs',
      operationId: 'readReference',
      scope: 'any',
      summary: 'A page to read this document by',
      description: 'It runs no script and loads nothing, so it works wherever the API does.',
      tag,
      answers: { 200: { description: 'The page.', other: { 'text/html': 'HTML.' } } },
    },
    async ({ c }) => {
      const { page, policy } = await reference()
      c.header('content-security-policy', policy)
      return c.html(page)
    },
  )

  operations.add(
    {
      method: 'get',
      path: '/docs/{page}',
      operationId: 'readManualPage',
      scope: 'any',
      summary: 'Read a page of the manual, as Markdown',
      tag,
      answers: {
        200: {
          description: 'The page.',
          other: { 'text/markdown': { description: 'Markdown.', example: '# Concepts\n' } },
        },
      },
    },
    ({ c, params: { page = '' } }) => {
      const found = manual.find(({ name }) => name === page)
      if (!found)
        throw new DevflowError('NOT_FOUND', 'not_found', 'The manual has no such page: see /llms.txt.')
      return c.body(found.text, 200, { 'content-type': 'text/markdown; charset=utf-8' })
    },
  )

  const short = llmsTxt(manual)
  operations.add(
    {
      method: 'get',
      path: '/llms.txt',
      operationId: 'readLlmsTxt',
      scope: 'any',
      summary: 'What is here, for language models',
      description: 'In the form that llmstxt.org proposes.',
      tag,
      answers: { 200: markdownAsText(short) },
    },
    ({ c }) => c.text(short),
  )

  const full = llmsFullTxt(manual)
  operations.add(
    {
      method: 'get',
      path: '/llms-full.txt',
      operationId: 'readLlmsFullTxt',
      scope: 'any',
      summary: 'The whole manual in one text, for language models',
      tag,
      answers: { 200: markdownAsText(full) },
    },
    ({ c }) => c.text(full),
  )
}

const markdownAsText = (text: string) => ({
  description: 'Markdown.',
  other: {
    'text/plain': { description: 'Markdown.', example: `${text.slice(0, text.indexOf('\n\n## '))}\n` },
  },
})
