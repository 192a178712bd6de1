export { getBlobFile, LARGEST_BLOB, putBlobFile } from './blob-files.ts'
export { takeSlot, workspaceBusy } from './slots.ts'
export { readSnapshotChain, type SnapshotLink, type TreeOwner } from './snapshots.ts'
