import { readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { isRelative, packageOf, ROOT, type Source, sources, target } from './sources.ts'

/** Who may import whom, of ours and of Temporal's. Apps are nobody's. */
const LAWS: Record<string, string[]> = {
  'packages/contracts': [],
  'packages/process': ['contracts'],
  'packages/definition': ['contracts'],
  'packages/workflows': ['contracts', '@temporalio/workflow'],
  'packages/activities': ['contracts', 'definition', 'db', '@temporalio/activity', '@temporalio/common'],
  'packages/db': ['contracts'],
  'packages/client': ['contracts'],
  'packages/local-stack': ['contracts'],
  'packages/testing': ['contracts', 'client'],
  'apps/api': ['contracts', 'definition', 'db', 'process', '@temporalio/client', '@temporalio/common'],
  'apps/worker': [
    'activities',
    'contracts',
    'db',
    'process',
    'workflows',
    '@temporalio/client',
    '@temporalio/common',
    '@temporalio/worker',
  ],
  'apps/cli': ['client', 'contracts', 'db', 'local-stack', 'process'],
  'apps/console': ['client', 'contracts'],
}

/** What tests may have beside it. */
const FOR_TESTS = ['contracts', 'db', 'definition', 'local-stack', 'testing', '@temporalio/testing']

/** The only packages that a package may import at all, where the law says so. */
const NOTHING_BUT: Record<string, string[]> = {
  'packages/client': ['@devflow/contracts', 'eventsource-parser'],
  'packages/contracts': ['zod'],
  'packages/workflows': ['@temporalio/workflow', '@devflow/contracts'],
}

const units = sources.filter(({ unit }) => unit in LAWS)
const isGoverned = (name: string) => name.startsWith('@devflow/') || name.startsWith('@temporalio/')
const isBuiltin = (specifier: string) => specifier.startsWith('node:') || builtinModules.includes(specifier)

/** Imports that break a law, as sentences. */
const broken = (
  from: readonly Source[],
  fault: (source: Source, specifier: string, isType: boolean) => string | false,
) =>
  from.flatMap((source) =>
    source.imports.flatMap(({ specifier, isType }) => {
      const what = fault(source, specifier, isType)
      return what === false ? [] : [`${source.path} imports ${specifier}: ${what}`]
    }),
  )

describe('who may import whom', () => {
  test('every package and app has a law', () => {
    const without = new Set(
      sources.map(({ unit }) => unit).filter((unit) => unit.includes('/') && !(unit in LAWS)),
    )
    expect([...without]).toEqual([])
  })

  test('holds in every source', () => {
    const faults = broken(units, ({ unit, isTest }, specifier) => {
      const name = packageOf(specifier)
      if (!isGoverned(name)) return false
      const short = name.replace('@devflow/', '')
      const own = unit.split('/')[1] === short
      const allowed = [...(LAWS[unit] ?? []), ...(isTest ? FOR_TESTS : [])]
      return own || allowed.includes(short)
        ? false
        : `${unit} may import ${allowed.join(', ') || 'nothing of ours'}`
    })
    expect(faults).toEqual([])
  })

  test('client, contracts and workflows import nothing else at all, Node itself neither', () => {
    const faults = broken(
      units.filter(({ unit, isTest }) => unit in NOTHING_BUT && !isTest),
      ({ unit }, specifier) =>
        !isRelative(specifier) &&
        !NOTHING_BUT[unit]?.includes(packageOf(specifier)) &&
        `only ${NOTHING_BUT[unit]}`,
    )
    expect(faults).toEqual([])
  })

  test('workflows take only types from the contracts', () => {
    const workflows = units.filter(({ unit, isTest }) => unit === 'packages/workflows' && !isTest)
    expect(
      broken(
        workflows,
        (_, specifier, isType) => packageOf(specifier) === '@devflow/contracts' && !isType && 'a value',
      ),
    ).toEqual([])
  })

  test('nobody imports an app', () => {
    const faults = broken(sources, ({ unit }, specifier) => {
      const app = /^@devflow\/(api|worker|cli|console)\b/.exec(specifier)?.[1]
      return app !== undefined && unit !== `apps/${app}` && 'an app'
    })
    // The command line starts the others by their path, which their package knows.
    expect(faults.filter((fault) => !fault.startsWith('apps/cli/src/up/parts/'))).toEqual([])
  })

  test('what is imported is among the dependencies of whoever imports it', () => {
    const faults = broken(units, ({ unit, isTest }, specifier, isType) => {
      if (isRelative(specifier) || isBuiltin(specifier) || specifier.startsWith('#')) return false
      const { dependencies = {}, devDependencies = {} } = manifest(unit)
      const root = manifest('.')
      const name = packageOf(specifier)
      if (
        name in dependencies ||
        (isType && `@types/${name}` in dependencies) ||
        (isTest && (name in devDependencies || name in (root.devDependencies ?? {})))
      )
        return false
      return 'no dependency of it'
    })
    expect(faults).toEqual([])
  })
})

describe('imports', () => {
  test('stay inside their package, and reach others by what these export', () => {
    const faults = broken(sources, (source, specifier) => {
      if (isRelative(specifier)) {
        // The long tests use what the short ones use, and measure with what the bench does.
        const homes = source.unit === 'soak' ? ['soak/', 'tests/', 'bench/'] : [`${source.unit}/`]
        const to = target(source, specifier)
        return !homes.some((home) => to.startsWith(home)) && 'outside of its package'
      }
      if (!specifier.startsWith('@devflow/')) return false
      const name = packageOf(specifier)
      const exported = manifest(`packages/${name.replace('@devflow/', '')}`).exports ?? {}
      return !(specifier.replace(name, '.') in exported) && 'not exported'
    })
    expect(faults.filter((fault) => !/imports @devflow\/(api|worker|cli|console)\b/.test(fault))).toEqual([])
  })

  test('lead to a file that is there, by its whole name', () => {
    const paths = new Set(sources.map(({ path }) => path))
    const faults = broken(sources, (source, specifier) => {
      if (!isRelative(specifier) || !/\.(ts|tsx|mjs)$|\/[^.]*$/.test(specifier)) return false
      return !paths.has(target(source, specifier)) && 'not there'
    })
    expect(faults).toEqual([])
  })

  test('make no circle between files', () => {
    expect(circles()).toEqual([])
  })
})

interface Manifest {
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
  exports?: Record<string, string>
}

function manifest(unit: string): Manifest {
  return JSON.parse(readFileSync(join(ROOT, unit, 'package.json'), 'utf8')) as Manifest
}

/** Circles over all relative imports, types included, each told once as the way round. */
function circles(): string[] {
  const byPath = new Map(sources.map((source) => [source.path, source]))
  const done = new Set<string>()
  const found: string[] = []
  const visit = (path: string, way: readonly string[]): void => {
    const start = way.indexOf(path)
    if (start !== -1) {
      found.push([...way.slice(start), path].join(' → '))
      return
    }
    const source = byPath.get(path)
    if (!source || done.has(path)) return
    for (const { specifier } of source.imports) {
      if (isRelative(specifier)) visit(target(source, specifier), [...way, path])
    }
    done.add(path)
  }
  for (const { path } of sources) visit(path, [])
  return found
}
