/** What the reference page reads of an OpenAPI 3.1 document. */
export interface Schema {
  $ref?: string
  type?: string | string[]
  format?: string
  description?: string
  enum?: unknown[]
  const?: unknown
  default?: unknown
  properties?: Record<string, Schema>
  patternProperties?: Record<string, Schema>
  additionalProperties?: Schema | boolean
  required?: string[]
  items?: Schema
  anyOf?: Schema[]
  oneOf?: Schema[]
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
  pattern?: string
}

export interface Parameter {
  name: string
  in: string
  required?: boolean
  description?: string
  schema?: Schema
  example?: unknown
}

interface Example {
  $ref?: string
  summary?: string
  value?: unknown
}

export interface Media {
  schema?: Schema
  example?: unknown
  examples?: Record<string, Example>
}

export interface Answer {
  $ref?: string
  description?: string
  headers?: Record<string, { description?: string; $ref?: string }>
  content?: Record<string, Media>
}

interface OperationShape {
  operationId: string
  summary: string
  description?: string
  tags: string[]
  parameters?: Parameter[]
  requestBody?: { required?: boolean; content: Record<string, Media> }
  responses: Record<string, Answer>
}

export interface DocumentShape {
  info: { title: string; version: string; description: string }
  tags: { name: string; description: string }[]
  paths: Record<string, Record<string, OperationShape>>
  components: {
    schemas: Record<string, Schema>
    examples: Record<string, Example>
    responses: Record<string, Answer>
    headers: Record<string, { description?: string }>
  }
}

export interface PlacedOperation extends OperationShape {
  method: string
  path: string
}

/** What a reference leads to in the components, or the value itself. */
export function resolved<Value extends { $ref?: string }>(
  value: Value,
  components: DocumentShape['components'],
): Value {
  if (value.$ref === undefined) return value
  const [, , kind = '', name = ''] = value.$ref.split('/')
  const found = (components as unknown as Record<string, Record<string, Value>>)[kind]?.[name]
  if (!found) throw new Error(`the document has no ${value.$ref}`)
  return found
}

export const nameOf = (ref: string): string => ref.slice(ref.lastIndexOf('/') + 1)
