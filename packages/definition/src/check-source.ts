import { builtinModules, stripTypeScriptTypes } from 'node:module'

/** An import at the beginning of a line, after types are gone. */
const IMPORT = /^\s*(?:import|export)\s(?:[^'";]*?\sfrom\s*)?(['"])([^'"\n]+)\1/gm
const DEFAULT_EXPORT = /^\s*export\s+default\b|^\s*export\s*\{[^}]*\bdefault\b/m

/** A function's code as it is run: without its types. Throws what is wrong with it, in words. */
export function runnableSource(source: string): string {
  const { emitWarning } = process
  // Node calls this function experimental, once a process, on the standard error of whoever calls it.
  process.emitWarning = () => {}
  try {
    return stripTypeScriptTypes(source, { mode: 'strip' })
  } finally {
    process.emitWarning = emitWarning
  }
}

/** What is wrong with a function's source, told before it runs; undefined when nothing shows. */
export function sourceFault(source: string): string | undefined {
  let code: string
  try {
    code = runnableSource(source)
  } catch (error) {
    return `is not TypeScript that can be run as it is: ${messageOf(error)}`
  }
  if (!DEFAULT_EXPORT.test(code))
    return 'exports no default: expected `export default async function (input, ctx)`'
  for (const [, , name = ''] of code.matchAll(IMPORT)) {
    if (!name.startsWith('node:') && !builtinModules.includes(name))
      return `imports ${name}: a function is one file, which imports only what is built into Node`
  }
  return undefined
}

function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.replace(/\s+/g, ' ').trim().slice(0, 500)
}
