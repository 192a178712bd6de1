import { createHash } from 'node:crypto'
import { html, raw } from 'hono/html'
import { PROBLEMS, type ProblemCode } from '../problem-codes.ts'
import { statusOf } from '../problems.ts'
import { operationSection } from './operation.ts'
import { type Html, inline, paragraphs } from './prose.ts'
import { described, fieldsOf, typeOf } from './schema.ts'
import type { DocumentShape, PlacedOperation, Schema } from './shapes.ts'

const STYLE = `
:root{color-scheme:light dark;--line:#8884;--soft:#8881;--link:light-dark(#0550ae,#79b8ff)}
body{font:16px/1.55 system-ui,sans-serif;margin:0;display:grid;grid-template-columns:17rem minmax(0,1fr)}
nav{position:sticky;top:0;height:100vh;overflow:auto;box-sizing:border-box;padding:1.5rem 1rem;border-right:1px solid var(--line);font-size:.875rem}
nav ul{list-style:none;margin:0 0 1rem;padding:0}nav li{padding:.1rem 0}nav a{text-decoration:none}
main{padding:1.5rem 2rem 6rem;max-width:60rem}a{color:var(--link)}h2{margin-top:3rem;border-bottom:1px solid var(--line)}
h3 a{color:inherit;text-decoration:none}h3{overflow-wrap:anywhere}.operation{padding:.5rem 0 1rem;border-bottom:1px solid var(--line)}
code,pre{font:.875em/1.5 ui-monospace,monospace}code{overflow-wrap:anywhere}pre{background:var(--soft);padding:.75rem 1rem;overflow:auto;border-radius:6px}
table{border-collapse:collapse;width:100%;font-size:.9375rem}th,td{text-align:left;vertical-align:top;padding:.35rem .6rem;border-top:1px solid var(--line)}
th{font-weight:400;width:14rem}td table{margin-top:.4rem}small{opacity:.75}summary{cursor:pointer;padding:.3rem 0}.of{margin:.75rem 0 -.5rem;font-size:.875rem}
b.get,b.good{color:light-dark(#116329,#56d364)}b.post,b.put{color:light-dark(#0550ae,#79b8ff)}b.delete,b.bad{color:light-dark(#a40e26,#ff7b72)}
@media(max-width:60rem){body{display:block}nav{position:static;height:auto;border:0}th{width:8rem}}
@media print{body{display:block}nav{display:none}}
`

/** Nothing runs on the page and nothing is loaded, from this host neither: it works wherever the API does. */
export const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** The OpenAPI document as a page for people, links to the manual with it. */
export function referencePage(
  document: DocumentShape,
  manual: readonly { name: string; title: string }[],
): string {
  const { info, tags, components } = document
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]): PlacedOperation => ({ method, path, ...operation })),
  )
  const schemas = Object.entries(components.schemas)
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${info.title} API</title><style>${raw(STYLE)}</style></head>
<body><nav aria-label="Operations">${tags.map(
    ({ name }) =>
      html`<a href="#tag-${name}"><strong>${name}</strong></a><ul>${operations
        .filter((each) => each.tags.includes(name))
        .map(
          (each) => html`<li><a href="#${each.operationId}">${each.summary.split(/[:;]/)[0]}</a></li>`,
        )}</ul>`,
  )}<a href="#errors"><strong>errors</strong></a><br><a href="#schemas"><strong>schemas</strong></a></nav>
<main><h1>${info.title} API</h1>
${paragraphs(info.description)}
<p>The same for machines: <a href="/openapi.json">openapi.json</a>, <a href="/llms.txt">llms.txt</a>.
${manual.length > 0 ? html`The manual: ${manual.map(({ name, title }, index) => html`${index > 0 ? ', ' : ''}<a href="/docs/${name}">${title}</a>`)}.` : ''}</p>
<p>The examples for a shell expect the address of the API:</p><pre>API=http://127.0.0.1:8787</pre>
${tags.map(
  ({ name, description }) =>
    html`<h2 id="tag-${name}">${name}</h2><p>${description}</p>${operations
      .filter((each) => each.tags.includes(name))
      .map((each) => operationSection(each, components))}`,
)}
<h2 id="errors">errors</h2><table><tbody>${Object.keys(PROBLEMS).map((code) => problemRow(code as ProblemCode))}</tbody></table>
<h2 id="schemas">schemas</h2>${schemas.map(([name, schema]) => schemaSection(name, schema))}
</main></body></html>
`
  return String(page)
}

function problemRow(code: ProblemCode): Html {
  const { kind, meaning } = PROBLEMS[code]
  return html`<tr><th scope="row"><code>${code}</code></th><td>${kind} ${statusOf(kind, code)}: ${inline(meaning)}</td></tr>`
}

function schemaSection(name: string, schema: Schema): Html {
  return html`<section id="schema-${name}"><h3><a href="#schema-${name}">${name}</a></h3>
${schema.properties ? fieldsOf(schema) : html`<p>${typeOf(schema)}${described(schema)}</p>`}</section>`
}
