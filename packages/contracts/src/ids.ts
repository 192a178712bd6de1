import { z } from 'zod'

/** A run's id: UUIDv7, so ids sort by submission time and partition by month. */
export const RunId = z.uuid()
export type RunId = z.infer<typeof RunId>

/** `[namespace:]name[@version]`; the namespace defaults to `devflow`, a name may hold `/`. */
export const EntryId = z
  .string()
  .max(200)
  .regex(
    /^(?:[a-z0-9][a-z0-9-]*:)?[a-z0-9][a-z0-9._-]*(?:\/[a-z0-9][a-z0-9._-]*)*(?:@[A-Za-z0-9][A-Za-z0-9._+-]*)?$/,
    {
      error: 'expected [namespace:]name[@version], as in dev/spec@1',
    },
  )
export type EntryId = z.infer<typeof EntryId>

/** The id of a phase, a role or an artifact: what expressions can name. */
export const Name = z
  .string()
  .max(64)
  .regex(/^[A-Za-z][A-Za-z0-9_-]*$/, { error: 'expected a letter, then letters, digits, _ or -' })
export type Name = z.infer<typeof Name>

/** Hex SHA-256. */
export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/)
export type Sha256 = z.infer<typeof Sha256>

/** A principal who commands or decides: a person or a service. */
export const Principal = z.string().min(1).max(200)
export type Principal = z.infer<typeof Principal>

/** The one who calls on loopback without a token. */
export const LOCAL_OWNER: Principal = 'owner'
