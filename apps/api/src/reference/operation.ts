import { html } from 'hono/html'
import { type Html, inline, paragraphs } from './prose.ts'
import { described, fieldsOf, typeOf } from './schema.ts'
import {
  type Answer,
  type DocumentShape,
  type Media,
  type Parameter,
  type PlacedOperation,
  resolved,
} from './shapes.ts'

type Components = DocumentShape['components']

export function operationSection(operation: PlacedOperation, components: Components): Html {
  const {
    method,
    path,
    operationId,
    summary,
    description,
    parameters = [],
    requestBody,
    responses,
  } = operation
  return html`<section class="operation" id="${operationId}">
<h3><a href="#${operationId}"><b class="${method}">${method.toUpperCase()}</b> <code>${path}</code></a></h3>
<p><strong>${inline(summary)}.</strong></p>
${description ? paragraphs(description) : ''}
${parameters.length > 0 ? html`<h4>Parameters</h4><table><tbody>${parameters.map(parameterRow)}</tbody></table>` : ''}
${requestBody ? html`<h4>Body${requestBody.required ? '' : html` <small>optional</small>`}</h4>${mediaOf(requestBody.content, components)}` : ''}
<pre>${curlOf(operation)}</pre>
<h4>Answers</h4>
${Object.entries(responses).map(([status, answer]) => answerOf(status, resolved(answer, components), components))}
</section>`
}

function parameterRow({ name, in: place, required, description, schema = {} }: Parameter): Html {
  return html`<tr><th scope="row"><code>${name}</code> <small>${place}${required ? '' : ', optional'}</small></th>
<td>${typeOf(schema)}${described({ ...schema, description })}</td></tr>`
}

function answerOf(
  status: string,
  { description = '', headers = {}, content = {} }: Answer,
  components: Components,
): Html {
  const named = Object.entries(headers).filter(([, header]) => header.$ref === undefined)
  return html`<details><summary><b class="${status < '400' ? 'good' : 'bad'}">${status}</b> ${inline(description)}</summary>
${named.map(([name, header]) => html`<p><code>${name}</code>: ${inline(header.description ?? '')}</p>`)}
${mediaOf(content, components)}</details>`
}

const mediaOf = (content: Record<string, Media>, components: Components): Html =>
  html`${Object.entries(content).map(([type, media]) => {
    const { schema = {} } = media
    return html`<p><code>${type}</code>: ${typeOf(schema)}${schema.$ref ? '' : described(schema)}</p>${fieldsOf(schema)}${examplesOf(media, type === 'application/problem+json', components)}`
  })}`

function examplesOf({ example, examples = {} }: Media, isProblem: boolean, components: Components): Html {
  const shown = Object.values(examples).map((each) => resolved(each, components))
  if (example !== undefined) shown.unshift({ value: example })
  // Of problems one shows the form; the codes stand in the description.
  if (isProblem) shown.splice(1)
  return html`${shown.map(({ summary, value }) => html`${summary ? html`<p class="of">${inline(summary)}</p>` : ''}<pre>${shownAs(value)}</pre>`)}`
}

const shownAs = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value, null, 2)

/** A call that can be pasted into a shell where `API` is set. */
function curlOf({ method, path, parameters = [], requestBody, responses }: PlacedOperation): string {
  const place = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const example = parameters.find((each) => each.in === 'path' && each.name === name)?.example
    return example === undefined ? `$${name.toUpperCase()}` : String(example)
  })
  const words = ['curl -s']
  if (method !== 'get' && (method !== 'post' || !requestBody)) words.push(`-X ${method.toUpperCase()}`)
  const [stream] = Object.keys(responses[200]?.content ?? {}).filter((type) => type === 'text/event-stream')
  if (stream) words.push('-N', `-H 'Accept: ${stream}'`)
  words.push(`"$API${place}"`)
  const [body] = Object.values(requestBody?.content['application/json']?.examples ?? {})
  if (body) {
    const text = JSON.stringify(body.value).replaceAll("'", `'\\''`)
    words.push(`-H 'Content-Type: application/json'`, `\\\n  -d '${text}'`)
  }
  return words.join(' ')
}
