import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const FOLDERS = ['apps', 'packages', 'tests', 'scripts', 'bench', 'soak', 'clients']
const NOT_OURS = new Set(['node_modules', 'dist', 'histories', 'peers'])

export interface Import {
  specifier: string
  /** Gone at run time. */
  isType: boolean
}

export interface Source {
  /** From the root, with slashes. */
  path: string
  text: string
  /** `packages/db`, `apps/api`, or the top folder for what is in neither. */
  unit: string
  /** A test, a fixture, what only tests use, or what only builds: it does not ship. */
  isTest: boolean
  imports: Import[]
}

function walk(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (NOT_OURS.has(entry.name) || entry.name.startsWith('.')) return []
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return walk(path)
    return /\.(ts|tsx|mjs)$/.test(entry.name) ? [path] : []
  })
}

/** Statements at the beginning of a line; what stands in a comment or a text is indented or quoted. */
const STATEMENT = /^(?:import|export)\s+(type\s+)?(?:[\w*{][^'"`;]*?\sfrom\s+)?'([^']+)'/gm
const CALL = /\b(?:import|import\.meta\.resolve)\(\s*'([^']+)'/g

function importsOf(text: string): Import[] {
  const statements = [...text.matchAll(STATEMENT)].map(([, type, specifier = '']) => ({
    specifier,
    isType: type !== undefined,
  }))
  const calls = [...text.matchAll(CALL)].map(([, specifier = '']) => ({ specifier, isType: false }))
  return [...statements, ...calls]
}

/** Every source of the checkout, read once. */
export const sources: readonly Source[] = FOLDERS.map((folder) => join(ROOT, folder))
  .filter((folder) => existsSync(folder))
  .flatMap(walk)
  .map((file) => {
    const path = relative(ROOT, file).split(sep).join('/')
    const text = readFileSync(file, 'utf8')
    const [top = '', name = ''] = path.split('/')
    const isUnit = top === 'apps' || top === 'packages'
    return {
      path,
      text,
      unit: isUnit ? `${top}/${name}` : top,
      isTest:
        !isUnit ||
        !path.startsWith(`${top}/${name}/src/`) ||
        /\.(test|fixture)\.tsx?$/.test(path) ||
        /\/src\/testing[^/]*(\/|\.ts$)/.test(path),
      imports: importsOf(text),
    }
  })

/** The source a relative import leads to. */
export function target(source: Source, specifier: string): string {
  return relative(ROOT, resolve(ROOT, dirname(source.path), specifier))
    .split(sep)
    .join('/')
}

/** Package of a bare specifier: `@devflow/db/testing` is of `@devflow/db`. */
export const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')

export const isRelative = (specifier: string): boolean => specifier.startsWith('.')
