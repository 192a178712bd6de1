// Law: phases that call functions, and what undoes phases: on record before and after each call (I3).
export { compensateRun } from './compensate-run.ts'
export { deliverFunction } from './run-function-phase.ts'
