export { settleForgottenCalls } from './forgotten-calls.ts'
export { deleteLookupsWithoutCall, deleteRowsOfDeletedRuns, deleteWakesOfGoneRuns } from './gone-runs.ts'
export { type RunStanding, standingOf } from './standing.ts'
export { type EndedExecution, wakeLostRun } from './wake-lost-run.ts'
