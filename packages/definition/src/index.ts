// Law: entries become a frozen definition, and what a definition says is checked and evaluated here.
// Imports contracts, ajv, CEL and YAML; knows no database, no Temporal, no provider.
export { type BrokenTemplate, brokenTemplates } from './broken-templates.ts'
export { canonicalHash } from './canonical.ts'
export { evaluate, type Scope } from './cel.ts'
export { checkEntry } from './check-entry.ts'
export { scheduleErrors } from './check-schedule.ts'
export { runnableSource } from './check-source.ts'
export { triggerErrors } from './check-trigger.ts'
export { checkArtifact, checkInput } from './check-values.ts'
export { type Compiled, type CompileRequest, compile } from './compile.ts'
export { canonicalId, compareIds, idParts } from './entry-id.ts'
export { eventFilter, eventMatches } from './event-filter.ts'
export { evaluateValue, isTrue, render } from './interpolation.ts'
export { checkSchema, checkValue } from './json-schema.ts'
export { catalogFolder, loadFolder } from './load-folder.ts'
export { parseEntry } from './parse-entry.ts'
export { pathUnder } from './path.ts'
export { planOf } from './plan.ts'
export { type ReadEntry, type ReadResult, readEntries } from './read-entries.ts'
export { definitionChanges, rebind } from './rebind.ts'
export {
  Registry,
  type RegistryEntry,
  type RegistryFilter,
  readFolders,
  registryEntry,
} from './registry.ts'
export { type CompiledSpec, compileSpec } from './schedule/compile-spec.ts'
export { isTimeOf, scheduleTimes } from './schedule/times.ts'
export {
  around,
  instanceId,
  itemMarks,
  LEVEL,
  nameIn,
  type PhaseNode,
  type PhaseTree,
  type Position,
  positionIn,
  roundStart,
  treeOf,
} from './tree.ts'
