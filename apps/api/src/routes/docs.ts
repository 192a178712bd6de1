import { z } from 'zod'
import { openApiDocument } from '../document.ts'
import type { Api, Operations } from '../operation.ts'

/** The document, and a page that renders it without anything from other hosts. */
export function docsRoutes(operations: Operations, api: Api): void {
  operations.add(
    {
      method: 'get',
      path: '/openapi.json',
      operationId: 'readOpenApi',
      summary: 'This document',
      tag: 'docs',
      answers: { 200: { description: 'OpenAPI 3.1.', schema: z.looseObject({}) } },
    },
    ({ c }) => c.json(openApiDocument(api)),
  )
  operations.add(
    {
      method: 'get',
      path: '/docs',
      operationId: 'readReference',
      summary: 'A page to read this document by',
      tag: 'docs',
      answers: { 200: { description: 'The page.', other: { 'text/html': 'HTML.' } } },
    },
    ({ c }) => {
      c.header('content-security-policy', POLICY)
      return c.html(PAGE)
    },
  )
}

const POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'"

const PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Devflow API</title>
<style>body{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}code,pre{font:14px ui-monospace,monospace}
summary{cursor:pointer;padding:.3rem 0}pre{background:#8881;padding:1rem;overflow:auto}b{display:inline-block;min-width:4.5rem}</style></head>
<body><h1>Devflow API</h1><p>Read from <a href="/openapi.json">openapi.json</a>.</p><main></main>
<script>
const add = (parent, name, text) => { const e = parent.appendChild(document.createElement(name)); if (text) e.textContent = text; return e }
fetch('/openapi.json').then((r) => r.json()).then((doc) => {
  const main = document.querySelector('main')
  for (const [path, item] of Object.entries(doc.paths)) for (const [method, op] of Object.entries(item)) {
    const details = add(main, 'details'), summary = add(details, 'summary')
    add(summary, 'b', method.toUpperCase()); add(summary, 'code', path); add(summary, 'span', ' — ' + op.summary)
    for (const p of op.parameters || []) add(details, 'p', p.in + ' ' + p.name + (p.required ? ' (required)' : '') + (p.schema?.description ? ': ' + p.schema.description : ''))
    const body = op.requestBody?.content?.['application/json']?.schema
    if (body) add(details, 'pre', JSON.stringify(body, null, 2))
    for (const [status, r] of Object.entries(op.responses)) add(details, 'p', status + ': ' + r.description)
  }
})
</script></body></html>
`
