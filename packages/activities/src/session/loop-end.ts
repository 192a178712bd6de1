import type { SessionEnd } from '@devflow/contracts'

/** The session goes back to Temporal, to be taken up by another worker. */
export const HANDED_OVER = 'handed over'
export type LoopEnd = SessionEnd | typeof HANDED_OVER
export const FENCED: SessionEnd = { ended: 'stopped', why: 'fenced' }
