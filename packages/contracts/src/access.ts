import { z } from 'zod'
import { SCOPES } from './choices.ts'
import { durationMs, IsoDuration } from './duration.ts'
import { Principal } from './ids.ts'

export const Scope = z.enum(SCOPES)
export type Scope = z.infer<typeof Scope>

/** Who is calling, and what they may. */
export const Me = z.object({
  principal: Principal,
  tenant: z.string(),
  scopes: z.array(Scope),
  approverAs: z.array(z.string()).describe('what they are where a gate names its approvers'),
})
export type Me = z.infer<typeof Me>

const Line = z
  .string()
  .min(1)
  .max(100)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what it must not hold
  .regex(/^[^\u0000-\u001f\u007f-\u009f]*$/, { error: 'expected one line of text' })

/** Body of `POST /v1/tokens`. */
export const PostToken = z.strictObject({
  name: Line.describe('what it is for'),
  scopes: z
    .array(Scope)
    .min(1)
    .transform((scopes) => SCOPES.filter((scope) => scopes.includes(scope))),
  expiresIn: IsoDuration.refine((text) => durationMs(text) !== 0, { error: 'expected more than no time' })
    .optional()
    .describe('90 days unless told'),
  principal: Principal.optional().describe('who calls with it; one of its own unless told'),
  roles: z
    .array(Line)
    .max(50)
    .transform((roles) => [...new Set(roles)])
    .optional()
    .describe('what they are at gates whose approvers name `role:<r>`'),
  tenant: z.string().min(1).max(100).optional(),
})
export type PostToken = z.input<typeof PostToken>

/** A token that calls the API, without what is secret of it. */
export const Token = z.object({
  id: z.uuid(),
  name: z.string(),
  scopes: z.array(Scope),
  principal: Principal,
  roles: z.array(z.string()),
  tenant: z.string(),
  actor: Principal.describe('who minted it'),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
})
export type Token = z.infer<typeof Token>

export const NewToken = Token.extend({ token: z.string().optional().describe('shown this once') })
export type NewToken = z.infer<typeof NewToken>

/** Body of `POST /v1/session`. */
export const PostSession = z.strictObject({ token: z.string().min(1).max(1_000) })
export type PostSession = z.infer<typeof PostSession>
