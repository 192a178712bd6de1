import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const CLIENT = fileURLToPath(new URL('..', import.meta.url))
const PACKAGES = dirname(CLIENT)
const TSC = join(dirname(fileURLToPath(import.meta.resolve('typescript/package.json'))), 'bin', 'tsc')

const JSON_TYPE = `/** Whatever JSON can hold. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
`

/**
 * The client's declarations by file name, with a `contracts.d.ts` beside them that holds the contracts' types as plain
 * shapes: whoever uses the client needs neither the contracts nor zod.
 */
export async function declarations(): Promise<Map<string, string>> {
  const dist = join(CLIENT, 'dist')
  await mkdir(dist, { recursive: true })
  // Under the package, so that what it imports is found.
  const folder = await mkdtemp(join(dist, '.declarations-'))
  try {
    const files = await emit(folder, 'client/src/index.ts')
    const contracts = [...(await emit(folder, 'contracts/src/index.ts')).values()].join('\n')
    const names = [...new Set([...files.values()].flatMap(namesFromContracts))].sort()
    const plain = await plainTypes(folder, names, contracts)
    return new Map([
      ...[...files].map(([path, text]) => [basename(path), relinked(text)] as const),
      ['contracts.d.ts', plain],
    ])
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Declarations of a source under `packages/` and what it imports of its own package, by path from there. */
async function emit(folder: string, entry: string): Promise<Map<string, string>> {
  const outDir = await mkdtemp(join(folder, 'out-'))
  const config = join(folder, 'tsconfig.json')
  const compilerOptions = {
    ...{ noEmit: false, declaration: true, emitDeclarationOnly: true, rootDir: PACKAGES, outDir },
    ...{ allowImportingTsExtensions: true },
  }
  await writeFile(
    config,
    JSON.stringify({
      extends: join(PACKAGES, '..', 'tsconfig.json'),
      compilerOptions,
      include: [],
      files: [join(PACKAGES, entry)],
    }),
  )
  const { status, stdout, stderr } = spawnSync(process.execPath, [TSC, '-p', config], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`tsc failed:\n${stdout}${stderr}`)
  const paths = (await readdir(outDir, { recursive: true })).filter((path) => path.endsWith('.d.ts'))
  return new Map(
    await Promise.all(
      paths.map(
        async (path) => [path.replaceAll('\\', '/'), await readFile(join(outDir, path), 'utf8')] as const,
      ),
    ),
  )
}

/** What a declaration file takes from the contracts. */
function namesFromContracts(text: string): string[] {
  return [...text.matchAll(/^(?:import|export) (?:type )?\{([^}]*)\} from '@devflow\/contracts';/gm)].flatMap(
    ([, names = '']) =>
      names.split(',').flatMap((name) => {
        const [bare = ''] = name
          .trim()
          .replace(/^type /, '')
          .split(' as ')
        return bare === '' ? [] : [bare]
      }),
  )
}

/** TypeScript names files by their source; readers look for what runs. */
function relinked(text: string): string {
  return text
    .replace(/(from '\.\/[\w-]+)\.ts'/g, "$1.js'")
    .replaceAll("from '@devflow/contracts'", "from './contracts.js'")
}

/** The types of these names: what each schema puts out, written out by the compiler; classes as they are. */
async function plainTypes(folder: string, names: string[], contracts: string): Promise<string> {
  const docOf = (declaration: string) =>
    new RegExp(`(/\\*\\*(?:(?!\\*/)[\\s\\S])*\\*/\n)export declare ${declaration}\\b`).exec(contracts)?.[1] ??
    ''
  const classes = names.flatMap((name) => {
    const text = new RegExp(`^export declare class ${name} [\\s\\S]*?^}`, 'm').exec(contracts)?.[0]
    return text === undefined ? [] : [{ name, text: docOf(`class ${name}`) + text }]
  })
  const schemas = names.filter((name) => !classes.some((known) => known.name === name))
  const source = join(folder, 'plain.ts')
  await writeFile(
    source,
    [
      "import type { z } from 'zod'",
      "import type * as contracts from '@devflow/contracts'",
      'declare function plain<Schema extends z.ZodType>(): z.output<Schema>',
      ...schemas.map((name) => `export const ${name} = plain<typeof contracts.${name}>()`),
    ].join('\n'),
  )
  const emitted = (await emit(folder, relative(PACKAGES, source))).get(
    relative(PACKAGES, source).replaceAll('\\', '/').replace(/\.ts$/, '.d.ts'),
  )
  const types = (emitted ?? '')
    .replace(/^import .*\n/gm, '')
    .replace(
      /^export declare const (\w+): /gm,
      (_, name: string) => `${docOf(`const ${name}`)}export type ${name} = `,
    )
    .replaceAll('z.JSONType', 'Json')
  const text = [JSON_TYPE, ...classes.map((each) => each.text), types].join('\n')
  const foreign = /\bz\.|\bcontracts\.|import\(|\bany\b/.exec(text)
  if (foreign || emitted === undefined) throw new Error(`not a plain type: ${foreign?.[0]}\n${text}`)
  return text
}
