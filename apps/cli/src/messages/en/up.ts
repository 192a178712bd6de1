export const up = {
  ready: (seconds: string) => `Devflow is ready (${seconds} s).`,
  again: 'All parts run again.',
  rows: { api: 'API', reference: 'Reference', temporal: 'Temporal', data: 'Data' },
  logs: (folder: string) => `${folder} (logs in logs/)`,
  stop: 'Ctrl-C stops everything in good order; unfinished runs go on at the next start.',
  sample: (run: string) => `A sample run is under way: ${run}`,
  sampleNext: {
    follow: 'follow it',
    gate: 'its gate',
    approve: 'approve it',
    report: 'its report',
  },
  sampleFailed: (why: string) => `The sample run was not submitted: ${why}`,
  waits: (titles: string) => `The run waits for a decision: ${titles}`,
  waitsOn: 'It keeps waiting over restarts. `--approve` lets --once answer for you.',
  approvedComment: 'approved by --approve',
  worker: 'The worker',
  workerOf: (number: number) => `Worker ${number}`,
  down: (part: string, how: string, inMs: number) =>
    `${part} ${how}. Starting it again${inMs > 0 ? ` in ${inMs} ms` : ''}.`,
  stopping: 'Stopping: work under way is brought to a safe end. Once more to stop at once.',
  stoppingEarly: 'Stopping.',
  atOnce: 'Stopping at once.',
  stopped: 'Stopped.',
  diskLow: (folder: string, megabytes: number) =>
    `The disk with ${folder} is almost full (${megabytes} MB left). When it is full, runs wait; nothing is lost.`,
  diskEnough: 'The disk has room again.',
  diskUnseen: (folder: string, why: string) => `The disk with ${folder} cannot be looked at: ${why}`,
  storeSetAside: (file: string) =>
    `Temporal's store was written by another version. It is kept as ${file}; a fresh one is begun. Unfinished runs go on from the log.`,
}
export const migrated = 'The database has the schema of this build.'

export const rebuilt = {
  runs: (count: number) => (count === 1 ? '1 run' : `${count} runs`),
  same: 'no difference',
  differences: (count: number) => (count === 1 ? '1 difference' : `${count} differences`),
  mended: 'mended',
}
