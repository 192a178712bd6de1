export { getBlobFile, LARGEST_BLOB, putBlobFile } from './blob-files.ts'
export { readLiveSessions } from './live-sessions.ts'
export { lookAtSlot, takeSlot, workspaceBusy } from './slots.ts'
export { linesChanged, readSnapshotChain, type SnapshotLink, type TreeOwner } from './snapshots.ts'
