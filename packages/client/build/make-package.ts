import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundle } from './bundle.ts'
import { declarations } from './declarations.ts'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** Makes the package in a folder, whose content goes: for `import` and for `require`, with types, without dependencies. */
export async function makePackage(folder: string): Promise<void> {
  const types = await declarations()
  await rm(folder, { recursive: true, force: true })
  const folders = { esm: join(folder, 'esm'), cjs: join(folder, 'cjs') }
  for (const each of Object.values(folders)) {
    await mkdir(each, { recursive: true })
    for (const [name, text] of types) await writeFile(join(each, name), text)
  }
  await bundle(folders)
  const { version } = JSON.parse(await readFile(at('../package.json'), 'utf8')) as { version: string }
  await writeFile(join(folders.cjs, 'package.json'), json({ type: 'commonjs' }))
  await writeFile(join(folder, 'package.json'), json(manifest(version)))
  await copyFile(at('../README.md'), join(folder, 'README.md'))
  await copyFile(at('../../../LICENSE'), join(folder, 'LICENSE'))
}

const manifest = (version: string) => ({
  name: '@devflow/client',
  version,
  description: 'The client of Devflow, a durable orchestrator for agent work.',
  license: 'MIT',
  type: 'module',
  sideEffects: false,
  engines: { node: '>=20.3' },
  main: './cjs/index.js',
  types: './cjs/index.d.ts',
  exports: {
    '.': {
      import: { types: './esm/index.d.ts', default: './esm/index.js' },
      require: { types: './cjs/index.d.ts', default: './cjs/index.js' },
    },
    './package.json': './package.json',
  },
  files: ['esm', 'cjs'],
})

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`
