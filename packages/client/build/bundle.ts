import { fileURLToPath } from 'node:url'
import { type Plugin, rolldown } from 'rolldown'
import { parseAst } from 'rolldown/parseAst'

const entry = fileURLToPath(new URL('../src/index.ts', import.meta.url))
const BANNER = '// The client of Devflow, MIT. Contains eventsource-parser, MIT, © Espen Hovlandsdal.'

/** One file a format, with everything in it: the contracts' code and the parser of event streams. */
export async function bundle(folders: { esm: string; cjs: string }): Promise<void> {
  const build = await rolldown({
    input: entry,
    platform: 'neutral',
    plugins: [unusedSchemasFallOut],
    onLog: (_, { message }) => {
      throw new Error(message)
    },
  })
  for (const format of ['esm', 'cjs'] as const)
    await build.write({ dir: folders[format], format, banner: BANNER })
  await build.close()
}

/**
 * A bundler must suppose that the calls which make schemas do something. They do not: each becomes a function that is
 * called where it stands, marked as pure, so that schemas nobody uses at run time go, and zod with them.
 */
const unusedSchemasFallOut: Plugin = {
  name: 'unused-schemas-fall-out',
  transform: {
    filter: { id: /[\\/]packages[\\/]contracts[\\/]src[\\/]/ },
    handler(code) {
      const { body } = parseAst(code, { lang: 'ts' })
      const made = body
        .map((line) => (line.type === 'ExportNamedDeclaration' ? line.declaration : line))
        .flatMap((line) => (line?.type === 'VariableDeclaration' ? line.declarations : []))
        .flatMap(({ init }) => (init && /^(Call|Object)Expression$/.test(init.type) ? [init] : []))
      return made.reduceRight(
        (text, { start, end }) =>
          `${text.slice(0, start)}/* @__PURE__ */ (() => (${text.slice(start, end)}))()${text.slice(end)}`,
        code,
      )
    },
  },
}
