// Law: what touches the world for a run: sessions, models, tools, workspaces, artifacts, reports. Imports contracts,
// definition, db and @temporalio/activity.
export { createControlActivities } from './control/control-activities.ts'
export { createDefinitions } from './definitions.ts'
export type { Definitions, Deps, Log, Prices, Times } from './deps.ts'
export { FAULT_POINTS, type FaultPoint } from './fault-points.ts'
export { reconcileCalls } from './ledger/reconcile.ts'
export { anthropicModel } from './models/anthropic/index.ts'
export type { ModelAdapter, ModelEvent, ModelRequest } from './models/model.ts'
export { createPrices } from './models/model-prices.ts'
export { offlineModel } from './models/offline.ts'
export { openRouterModel } from './models/openrouter.ts'
export { scriptedModel } from './models/scripted.ts'
export { createSessionActivities } from './session/run-agent-phase.ts'
