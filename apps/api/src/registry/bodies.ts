import {
  type AppliedChange,
  RegistryChanged,
  type RegistryEntrySummary,
  RegistryEntryView,
  RegistryVersion,
  RegistryEntrySummary as SummaryShape,
} from '@devflow/contracts'
import { z } from 'zod'
import { named, pageOf } from '../bodies.ts'

const HASH = 'c2d6f0a1b7d34f6e8a5c9b0e1f2a3d4c5b6a7980e1f2d3c4b5a69788796a5b4c'

/** The entry that the OpenAPI document shows. */
export const SCHEMA_ENTRY = {
  kind: 'schema',
  id: 'acme:note@1',
  title: 'A release note',
  meta: { team: 'web' },
  schema: { type: 'object', required: ['text'], properties: { text: { type: 'string', minLength: 1 } } },
}

const SUMMARY: RegistryEntrySummary = {
  id: 'acme:note@1',
  kind: 'schema',
  namespace: 'acme',
  name: 'note',
  version: '1',
  hash: HASH,
  title: 'A release note',
  meta: { team: 'web' },
  source: 'registry',
  immutable: true,
  readOnly: false,
}

const APPLIED: AppliedChange = { op: 'create', id: 'acme:note@1', kind: 'schema', hash: HASH }

const summaries = pageOf('RegistryEntryPage', named('RegistryEntrySummary', SummaryShape.shape, SUMMARY))

/** A page of entries says which version it is of: what a change can be based on. */
export const EntryPage = named(
  'RegistryEntryPage',
  { ...summaries.shape, version: z.int() },
  { items: [SUMMARY], version: 7 },
)

export const EntryBody = named('RegistryEntry', RegistryEntryView.shape, { ...SUMMARY, entry: SCHEMA_ENTRY })

export const ChangedBody = named('RegistryChanged', RegistryChanged.shape, {
  version: 8,
  applied: [APPLIED],
})

export const VersionPage = pageOf(
  'RegistryVersionPage',
  named('RegistryVersion', RegistryVersion.shape, {
    version: 8,
    actor: 'owner',
    at: '2026-11-21T08:05:03.623Z',
    changes: [APPLIED],
  }),
)
