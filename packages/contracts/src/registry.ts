import { z } from 'zod'
import { ENTRY_KINDS } from './choices.ts'
import { EntryId, Principal, Sha256 } from './ids.ts'

/** Every kind the format knows. */
export const EntryKind = z.enum(ENTRY_KINDS, { error: `expected one of ${ENTRY_KINDS.join(', ')}` })
export type EntryKind = z.infer<typeof EntryKind>

export const CHANGE_OPS = ['create', 'update', 'delete'] as const
export const ChangeOp = z.enum(CHANGE_OPS, { error: `expected one of ${CHANGE_OPS.join(', ')}` })
export type ChangeOp = z.infer<typeof ChangeOp>

const BaseVersion = z.int().min(0).max(2_147_483_647).optional()

/** Any object, as it came: what an entry may hold is said by the entry formats, which name every place. */
const SentEntry = z
  .custom<Record<string, unknown>>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    { error: 'expected an entry: an object with kind and id' },
  )
  .meta({ type: 'object', additionalProperties: true })

/** Of `delete` only the entry's `id` counts. */
export const RegistryChange = z.strictObject({ op: ChangeOp, entry: SentEntry })
export type RegistryChange = z.infer<typeof RegistryChange>

/** Body of `POST /v1/registry/changes`: all or nothing. */
export const ChangeRegistry = z.strictObject({
  /** The version that was looked at; refused when it is no longer the current one. Absent: whatever is current. */
  baseVersion: BaseVersion,
  changes: z.array(RegistryChange).min(1).max(1_000),
})
export type ChangeRegistry = z.infer<typeof ChangeRegistry>

/** Body of `POST /v1/registry/versions/{n}/restore`. */
export const RestoreRegistry = z.strictObject({ baseVersion: BaseVersion })
export type RestoreRegistry = z.infer<typeof RestoreRegistry>

/** One entry of a version; `hash` is of the content it has now, or had. */
export const AppliedChange = z.object({ op: ChangeOp, id: EntryId, kind: EntryKind, hash: Sha256 })
export type AppliedChange = z.infer<typeof AppliedChange>

/** What changing or restoring answers: the version that was made. */
export const RegistryChanged = z.object({
  version: z.int(),
  applied: z.array(AppliedChange),
})
export type RegistryChanged = z.infer<typeof RegistryChanged>

/** A version of the registry; `changes` says what it changed. */
export const RegistryVersion = z.object({
  version: z.int(),
  actor: Principal,
  at: z.iso.datetime(),
  restoredFrom: z.int().optional(),
  changes: z.array(AppliedChange),
})
export type RegistryVersion = z.infer<typeof RegistryVersion>

/** An entry as lists show it. */
export const RegistryEntrySummary = z.object({
  id: EntryId,
  kind: EntryKind,
  namespace: z.string(),
  name: z.string(),
  version: z.string().optional(),
  /** SHA-256 over the canonical JSON of the entry. */
  hash: Sha256,
  title: z.string().optional(),
  description: z.string().optional(),
  meta: z.record(z.string(), z.string()),
  /** `catalog`: built in; `folder`: one the server was started with; `registry`: made over HTTP. */
  source: z.enum(['catalog', 'folder', 'registry']),
  /** It has a version, so its content never changes. */
  immutable: z.boolean(),
  /** It cannot be changed over HTTP: it comes from a folder. */
  readOnly: z.boolean(),
})
export type RegistryEntrySummary = z.infer<typeof RegistryEntrySummary>

/** An entry with its content, in the form of the entry formats. */
export const RegistryEntryView = z.object({
  ...RegistryEntrySummary.shape,
  entry: z.record(z.string(), z.json()),
})
export type RegistryEntryView = z.infer<typeof RegistryEntryView>
