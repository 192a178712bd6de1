import type { Scope } from '@devflow/contracts'
import type { z } from 'zod'
import type { ProblemCode } from './problem-codes.ts'

/** What an answer holds in a media type other than JSON. */
export interface Text {
  description: string
  example?: string
}

/** An answer of an operation. */
interface Answer {
  description: string
  /** Its example is what the schema carries in its metadata, unless `example` says otherwise. */
  schema?: z.ZodType
  example?: unknown
  /** Media types other than JSON, with what they hold. */
  other?: Record<string, string | Text>
  headers?: Record<string, string>
  /** Operations on what the answer tells of: their id → their parameters, as runtime expressions of OpenAPI. */
  links?: Record<string, Record<string, string>>
}

/** What the OpenAPI document says of an operation. */
export interface Documented {
  method: 'get' | 'post' | 'put' | 'delete'
  /** With its parameters in braces, as in `/v1/runs/{id}`. */
  path: string
  /** Its last parameter takes the rest of the path, slashes too. */
  restOfPath?: boolean
  /** What generated clients call it: `submitRun`. */
  operationId: string
  /** What the caller has to have: this scope, or one of these; `any`: none. */
  scope: Scope | readonly Scope[] | 'any'
  summary: string
  /** More, in Markdown. */
  description?: string
  tag: string
  /** Parameters of the path that are not what they usually are; see `PATH_PARAMETERS`. */
  params?: Record<string, z.ZodType>
  query?: z.ZodObject
  /** Takes `label.<k>` too. */
  labels?: boolean
  /** Takes `meta.<k>` too. */
  meta?: boolean
  body?: z.ZodType
  /** The body may be left out, which reads as `{}`. */
  bodyOptional?: boolean
  /** Bodies that it takes, by what they show. */
  bodyExamples?: Record<string, unknown>
  /** Headers it heeds, with what they mean. */
  headers?: Record<string, string>
  answers: Record<number, Answer>
  /** Codes of its problems beside those that any operation has; kind, status and words come from `PROBLEMS`. */
  problems?: readonly ProblemCode[]
}

/** The scopes of which the caller has to have one; none: whoever calls may. */
export const scopesOf = ({ scope }: Pick<Documented, 'scope'>): readonly Scope[] =>
  scope === 'any' ? [] : typeof scope === 'string' ? [scope] : scope
