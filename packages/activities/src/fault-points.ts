/** Boundaries of a turn at which crash tests end the process: each is one «what if it dies right here». */
export const FAULT_POINTS = [
  'before-heal',
  'after-heal',
  'after-reserve',
  'after-send',
  'mid-stream',
  'after-stream',
  'after-record',
  'after-tool',
  'after-effect',
  'after-blob',
  'before-completion',
] as const
export type FaultPoint = (typeof FAULT_POINTS)[number]
