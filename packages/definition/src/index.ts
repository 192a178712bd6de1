// Law: entries become a frozen definition, and what a definition says is checked and evaluated here.
// Imports contracts, ajv, CEL and YAML; knows no database, no Temporal, no provider.
export { canonicalHash } from './canonical.ts'
export { evaluate, type Scope } from './cel.ts'
export { checkArtifact, checkInput } from './check-values.ts'
export { type Compiled, type CompileRequest, compile } from './compile.ts'
export { evaluateValue, isTrue, render } from './interpolation.ts'
export { catalogFolder, loadFolder } from './load-folder.ts'
export { planOf } from './plan.ts'
export { type ReadEntry, type ReadResult, readEntries } from './read-entries.ts'
export { createRegistry, Registry, type RegistryEntry, type RegistryFilter } from './registry.ts'
