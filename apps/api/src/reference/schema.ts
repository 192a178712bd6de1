import { html } from 'hono/html'
import { type Html, inline } from './prose.ts'
import { nameOf, type Schema } from './shapes.ts'

/** The type of a value in a line: `array of Run`, `string, 1 to 255 characters`. */
export function typeOf(schema: Schema): Html {
  const { $ref, anyOf, oneOf, items, additionalProperties, patternProperties } = schema
  if ($ref !== undefined) return html`<a href="#schema-${nameOf($ref)}">${nameOf($ref)}</a>`
  const variants = anyOf ?? oneOf
  if (variants) return html`${joined(variants.map(typeOf), ' or ')}`
  if (schema.enum)
    return html`${joined(
      schema.enum.map((value) => html`<code>${JSON.stringify(value)}</code>`),
      ' or ',
    )}`
  if (schema.const !== undefined) return html`<code>${JSON.stringify(schema.const)}</code>`
  if (items) return html`array of ${typeOf(items)}`
  if (typeof additionalProperties === 'object' && !schema.properties)
    return html`object of ${typeOf(additionalProperties)}`
  const [pattern] = Object.keys(patternProperties ?? {})
  if (pattern !== undefined) return html`object, keys like <code>${pattern}</code>`
  const type = [schema.type ?? 'any JSON'].flat().join(' or ')
  return html`${[type, schema.format, boundsOf(schema)].filter(Boolean).join(', ')}`
}

function boundsOf({ minimum, maximum, minLength, maxLength }: Schema): string {
  const span = (least?: number, most?: number) => {
    if (least !== undefined && most !== undefined && most < Number.MAX_SAFE_INTEGER)
      return `${least} to ${most}`
    return least === undefined ? most !== undefined && most < 1e15 && `at most ${most}` : `at least ${least}`
  }
  const length = span(minLength, maxLength)
  return span(minimum, maximum) || (length ? `${length} characters` : '')
}

/** What a schema says of its fields, as a table; objects within it follow in their row. */
export function fieldsOf(schema: Schema): Html | '' {
  const object = schema.items ?? schema
  const rows = Object.entries(object.properties ?? {})
  if (rows.length === 0) return ''
  return html`<table><tbody>${rows.map(([name, field]) => rowOf(name, field, object.required?.includes(name) ?? false))}</tbody></table>`
}

function rowOf(name: string, field: Schema, isRequired: boolean): Html {
  return html`<tr><th scope="row"><code>${name}</code>${isRequired ? '' : html` <small>optional</small>`}</th>
<td>${typeOf(field)}${described(field)}${within(field)}</td></tr>`
}

export function described({ description, default: usual, pattern }: Schema): Html {
  return html`${description ? html`: ${inline(description)}` : ''}${usual === undefined ? '' : html` <small>usually <code>${JSON.stringify(usual)}</code></small>`}${pattern ? html` <small>like <code>${pattern}</code></small>` : ''}`
}

function within(field: Schema): Html | '' {
  const variants = field.anyOf ?? field.oneOf ?? [field]
  return html`${variants.map(fieldsOf)}`
}

const joined = (parts: Html[], between: string): Html[] =>
  parts.flatMap((part, index) => (index === 0 ? [part] : [html`${between}`, part]))
