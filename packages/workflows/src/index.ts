// Law: deterministic code only; what a run does next, decided from what the log says. Imports contracts' types and
// @temporalio/workflow; no clocks, no randomness, no Node built-ins.
export { occasionWorkflow } from './occasion-workflow.ts'
export { runWorkflow } from './run-workflow.ts'
