import { existsSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { ERROR_KINDS, EVENT_TYPES } from '@devflow/contracts'
import { catalogFolder, compile, loadFolder, Registry, readEntries } from '@devflow/definition'
import { describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import {
  anchorsOf,
  codeIn,
  codesIn,
  documents,
  fencesOf,
  filesAt,
  root,
  rowsUnder,
  sourcesAt,
  textOf,
} from './documents.ts'

const all = (files: string[], pattern: RegExp): string[] =>
  files.flatMap((file) =>
    [...textOf(file).matchAll(pattern)].map((match) => match.slice(1).find(Boolean) ?? ''),
  )

const unique = (words: string[]): string[] => [...new Set(words)].sort()

describe('configuration', () => {
  const configs = filesAt('apps/*/src/{config,*-config}.ts')
  const table = [
    ...rowsUnder('docs/operations.md', '## Configuration').slice(1),
    ...rowsUnder('docs/providers.md', '## Variables').slice(1),
  ]
  const rowOf = (name: string) => table.find(([names]) => codesIn(names).includes(name)) ?? []
  /** Variables of a schema, with the rest of their line. */
  const variables = configs.flatMap((file) =>
    [...textOf(file).matchAll(/^ {2}([A-Z][A-Z0-9_]+): (.*)$/gm)].map((match) => ({
      file,
      name: match[1] ?? '',
      rule: match[2] ?? '',
    })),
  )

  test('every variable that an app reads is documented, and nothing else', () => {
    expect(configs.length).toBeGreaterThanOrEqual(3)
    expect(unique(table.flatMap(([names]) => codesIn(names)))).toEqual(
      unique(variables.map(({ name }) => name)),
    )
  })

  test('each stands with who reads it', () => {
    const words: Record<string, string> = { api: 'API', worker: 'worker', cli: 'up|commands' }
    for (const { file, name } of variables) {
      const reader = words[file.split(/[\\/]/)[1] ?? ''] ?? ''
      expect(rowOf(name)[1], `${name} is read by ${reader}`).toMatch(new RegExp(`\\b(all|${reader})\\b`))
    }
  })

  test('times and counts stand with the default they have', () => {
    const told = variables.flatMap(({ name, rule }) => {
      const value = /^(?:ms|stall)\(([\d_]+)\)/.exec(rule)?.[1]?.replaceAll('_', '')
      return value === undefined ? [] : [{ name, value: Number(value) }]
    })
    expect(told.length).toBeGreaterThan(15)
    for (const { name, value } of told) expect(rowOf(name)[2], name).toContain(value.toLocaleString('en-US'))
  })

  test('no document names a variable that nobody reads', () => {
    const sources = filesAt('{apps,packages,scripts,soak,tests}/**/*.{ts,mjs}', '*.ts').map(textOf).join('\n')
    const named = unique(all(documents, /\b(DEVFLOW_[A-Z_]+)\b/g))
    expect(named.filter((name) => !new RegExp(`\\b${name}\\b`).test(sources))).toEqual([])
  })
})

describe('the HTTP API', () => {
  const page = 'docs/http-api.md'
  const kinds = ERROR_KINDS.join('|')
  const CODE = new RegExp(`'(?:${kinds})'(?: as const)?,\\s*'([a-z_]+)'|\\bcode: '([a-z_]+)'`, 'g')
  /** Answered nowhere: they keep a process from starting. */
  const atStart = ['token_required', 'bad_config', 'migrations_differ', 'tables_in_use', 'database_older']

  test('every route is documented, and nothing else', () => {
    const source = sourcesAt('apps/api/src/routes/*.ts').map(textOf).join('\n')
    const routes = [...source.matchAll(/method: '(\w+)',\s*path: ['`]([^'`]+)['`]/g)].flatMap(
      ([, method, path]) =>
        (path?.includes(`\${verb}`) ? ['cancel', 'pause', 'resume', 'retry'] : ['']).map(
          (verb) => `${method?.toUpperCase()} ${path?.replace(`\${verb}`, verb)}`,
        ),
    )
    expect(routes.length).toBeGreaterThan(20)
    const table = rowsUnder(page, '## Routes').slice(1)
    expect(unique(table.flatMap(([route]) => codesIn(route)))).toEqual(unique(routes))
  })

  test('every code that the API can answer with, or put on record, is documented', () => {
    const sources = sourcesAt('apps/api/src/**/*.ts', 'packages/{activities,db,definition}/src/**/*.ts')
    const codes = all(sources, CODE).concat(all(filesAt('migrations/*.sql'), /'code', '([a-z_]+)'/g))
    const documented = codeIn(page).flatMap((text) => text.match(/[a-z_]+/g) ?? [])
    expect(codes.length).toBeGreaterThan(60)
    expect(unique(codes).filter((code) => !documented.includes(code) && !atStart.includes(code))).toEqual([])
  })

  test('every code that is documented exists, with the kind it is documented with', () => {
    const sources = sourcesAt('{apps,packages}/*/src/**/*.ts').concat(filesAt('migrations/*.sql'))
    const text = sources.map(textOf).join('\n')
    for (const [codes = '', kind = ''] of rowsUnder(page, '## Errors')) {
      if (codes === 'code') continue
      expect(kind).toMatch(new RegExp(`^(${kinds})(, (${kinds}))?( \\d{3})?$`))
      for (const code of codesIn(codes)) expect(text, `the code ${code}`).toContain(`'${code}'`)
    }
  })

  test('statuses stand with the codes that have their own', () => {
    const source = textOf('apps/api/src/problems.ts')
    const own = /STATUS_OF_CODE[^{]*\{([^}]*)\}/.exec(source)?.[1] ?? ''
    const pairs = [...own.matchAll(/(\w+): (\d+)/g)]
    expect(pairs.length).toBeGreaterThan(3)
    const rows = rowsUnder(page, '## Errors')
    for (const [, code = '', status = ''] of pairs)
      expect(rows.find(([codes]) => codesIn(codes).includes(code))?.[1], code).toContain(status)
  })
})

test('every event type is documented', () => {
  const documented = rowsUnder('docs/concepts.md', '## Events').flatMap(([types]) => codesIn(types))
  expect(EVENT_TYPES.filter((type) => !documented.includes(type))).toEqual([])
})

describe('the command line', () => {
  const namesIn = (file: string) => all([file], /\.command\('([a-z-]+)'[,)]/g)
  const commands = sourcesAt('apps/cli/src/commands/**/*.ts').filter((file) => namesIn(file).length > 0)
  const known = commands.flatMap(namesIn)
  /** Commands of one source stand under one heading, behind the group whose folder they are in. */
  const headingOf = (file: string) => {
    const group = /[\\/]commands[\\/]([a-z-]+)[\\/]/.exec(file)?.[1]
    return `## devflow ${group === undefined ? '' : `${group} `}${namesIn(file).join(', ')}`
  }

  test('every command that is named exists', () => {
    expect(known.length).toBeGreaterThan(10)
    const named = documents
      .flatMap(codeIn)
      .flatMap((code) => code.match(/(?<=\bdevflow )[a-z][a-z-]+/g) ?? [])
    expect(unique(named).filter((name) => !known.includes(name))).toEqual([])
  })

  test('every option that is named exists', () => {
    const sources = ['apps/cli/src/program.ts', ...commands]
    const existing = all(sources, /(?:\.(?:option|requiredOption)|new Option)\(\s*'(--[a-z-]+)/g).concat(
      '--help',
      '--version',
    )
    const named = documents
      .flatMap(codeIn)
      .flatMap(
        (code) =>
          code.replaceAll('\\\n', '').match(/(?<=(?:^|npx |\()devflow |npm start -- )[^\n|]+/gm) ?? [],
      )
      .flatMap((command) => command.match(/(?<=^|\s)--[a-z-]+/g) ?? [])
    expect(named.length).toBeGreaterThan(20)
    expect(unique(named).filter((name) => !existing.includes(name))).toEqual([])
  })

  const optionsIn = (file: string) =>
    all([file], /(?:\.(?:option|requiredOption)|new Option)\(\s*'(--[^']+)'/g).sort()
  const optionsUnder = (heading: string) =>
    rowsUnder('docs/cli.md', heading)
      .map(([cell]) => codesIn(cell)[0] ?? '')
      .filter((text) => text.startsWith('--'))
      .sort()

  test('the options of every command are documented, and nothing else', () => {
    expect(optionsUnder('## Every command')).toEqual(optionsIn('apps/cli/src/program.ts'))
  })

  test.each(commands)('the options of %s are documented, and nothing else', (file) => {
    expect(optionsUnder(headingOf(file))).toEqual(optionsIn(file))
  })
})

describe.each(documents)('%s', (file) => {
  test('has no link that leads nowhere', () => {
    const prose = textOf(file).replace(/^```[\s\S]*?^```$/gm, '')
    const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '')
    const broken = links
      .filter((link) => !/^[a-z]+:/.test(link))
      .filter((link) => {
        const [path = '', anchor] = link.split('#')
        const target = path === '' ? file : normalize(join(dirname(file), path))
        if (!existsSync(join(root, target))) return true
        return anchor !== undefined && !anchorsOf(target).includes(anchor)
      })
    expect(broken).toEqual([])
  })

  test('has JSON that parses, also in its commands', () => {
    const bodies = codeIn(file).flatMap((code) => [...code.matchAll(/-d '([^']*)'(?=[\s)]|$)/g)])
    for (const [, body = ''] of bodies) expect(() => JSON.parse(body), body).not.toThrow()
    for (const { at, language, text } of fencesOf(file)) {
      if (language === 'json') expect(() => JSON.parse(text), at).not.toThrow()
    }
  })

  test('has YAML that parses, and templates that compile', async () => {
    const blocks = fencesOf(file).filter(({ language }) => language === 'yaml')
    for (const { at, text } of blocks)
      expect(
        parseAllDocuments(text).flatMap((document) => ('errors' in document ? document.errors : [])),
        at,
      ).toEqual([])
    const read = blocks
      .filter(({ text }) => /^kind:/m.test(text))
      .map(({ at, text }) => readEntries(text, at))
    if (read.length === 0) return
    const registry = new Registry([await loadFolder(catalogFolder), ...read])
    expect(registry.errors).toEqual([])
    const templates = read.flatMap(({ entries }) => entries).filter(({ entry }) => entry.kind === 'template')
    for (const { entry } of templates)
      expect(() => compile(registry, { template: entry.id, hasKey: () => true })).not.toThrow()
  })
})
