export const registry = {
  columns: {
    id: 'ID',
    kind: 'KIND',
    title: 'TITLE',
    source: 'SOURCE',
    version: 'VERSION',
    at: 'AT',
    by: 'BY',
    changes: 'CHANGES',
  },
  /** Where an entry comes from. */
  sources: { catalog: 'built in', folder: 'folder', registry: 'made over HTTP' } as Record<string, string>,
  hash: 'hash',
  none: 'No entries.',
  noHistory: 'Nothing was changed yet.',
  moreVersions: (cursor: string) => `More with --cursor ${cursor}`,
  restoredFrom: (version: number) => `as at ${version}`,
  now: (version: number) => `The registry is at version ${version}.`,
  restored: (version: number, from: number) =>
    `The registry is at version ${version}, which is what version ${from} was.`,
  unchanged: (count: number) => (count === 1 ? '1 entry is so already' : `${count} entries are so already`),
  nothing: (version: number) => `Nothing to change: the registry is at version ${version}.`,
  dryRun: 'Nothing was changed: this is what would be.',
}
