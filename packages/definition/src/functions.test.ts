// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is what expressions look like
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { brokenTemplates } from './broken-templates.ts'
import { checkEntry } from './check-entry.ts'
import { compile } from './compile.ts'
import { loadFolder } from './load-folder.ts'
import { refusal, registryOf } from './registry.fixture.ts'

const SOURCE = 'export default async (input: { n: number }) => ({ n: input.n })'
const NUMBER = { type: 'object', required: ['n'], properties: { n: { type: 'number' } } }
const FUNCTION = { kind: 'function', id: 'shop:charge@1', source: SOURCE, input: NUMBER, output: NUMBER }
const calling = (call: object, more: object = {}, output: unknown = 1) => ({
  ...{ kind: 'template', id: 't@1', input: NUMBER, output },
  phases: [{ id: 'pay', function: { name: 'shop:charge', ...call }, ...more }],
})
const compiled = (template: object, entry: object = FUNCTION) =>
  compile(registryOf(template, entry), { template: 't@1' })
const errorsOf = (template: object, entry?: object) =>
  refusal(() => compiled(template, entry)).errors?.map(({ path, message }) => `${path}: ${message}`)

const folders: string[] = []
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true })
})

async function loaded(files: Record<string, string>) {
  const folder = await mkdtemp(join(tmpdir(), 'functions-'))
  folders.push(folder)
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  const { entries, errors } = await loadFolder(folder)
  return { entries: entries.map(({ entry }) => entry), errors }
}

describe('a function entry', () => {
  test('in a folder holds the text of the file it names', async () => {
    const entry = 'kind: function\nid: a@1\nsource: ./charge.ts\n'
    const { entries, errors } = await loaded({ 'a.yaml': entry, 'charge.ts': SOURCE })
    expect(errors).toEqual([])
    expect(entries).toEqual([{ kind: 'function', id: 'a@1', source: SOURCE }])
  })

  test.each([
    ['./missing.ts', 'cannot be read: ENOENT'],
    ['../../../etc/passwd.ts', 'lies outside the folder'],
    ['./broken.ts', 'is not TypeScript that can be run'],
    ['./empty.ts', 'exports no default'],
    ['./imports.ts', 'imports ./charge.ts: a function is one file'],
  ])('from %s is refused: %s', async (source, message) => {
    const { entries, errors } = await loaded({
      'a.yaml': `kind: function\nid: a@1\nsource: ${source}\n`,
      'broken.ts': 'export default function (',
      'empty.ts': 'export const a = 1',
      'imports.ts': "import charge from './charge.ts'\nexport default charge",
    })
    expect(entries).toEqual([])
    expect(errors).toEqual([expect.objectContaining({ message: expect.stringContaining(message) })])
  })

  test('that somebody sends holds its source itself: no file is read for it', () => {
    expect(checkEntry({ ...FUNCTION })).toHaveProperty('entry')
    const wrong = (change: object) => {
      const checked = checkEntry({ ...FUNCTION, ...change })
      return 'errors' in checked ? checked.errors : []
    }
    expect(wrong({ source: './charge.ts' })).toEqual([
      { path: 'source', message: expect.stringContaining('expected the source itself') },
    ])
    expect(wrong({ source: 'enum A { B }\nexport default A' })[0]?.path).toBe('source')
    expect(wrong({ output: { type: 'nothing' } })[0]?.path).toBe('output.type')
  })
})

describe('a template that calls functions', () => {
  test('is compiled with their sources: its runs keep the code they began with', () => {
    const before = compiled(calling({ input: { n: '${{ input.n }}' } }))
    expect(before.definition.functions).toEqual({
      'shop:charge': {
        ...{ id: 'shop:charge@1', hash: expect.stringMatching(/^[0-9a-f]{64}$/), source: SOURCE },
        ...{ input: NUMBER, output: NUMBER, timeoutMs: 30_000, effects: 'external' },
        permissions: { net: [], env: [], read: [], write: [] },
      },
    })
    const changed = { ...FUNCTION, source: `${SOURCE} // changed` }
    expect(compiled(calling({ input: { n: '${{ input.n }}' } }), changed).hash).not.toBe(before.hash)
  })

  const undo = (input: object, name = 'shop:charge') => ({ compensate: { function: name, input } })
  test.each([
    [
      'an unknown function',
      calling({ name: 'shop:gone' }),
      'phases[0].function.name: there is no function shop:gone',
    ],
    [
      'an input of another shape',
      calling({ input: { n: 'seven' } }),
      'phases[0].function.input.n: must be number (shop:charge@1)',
    ],
    ['no input where one is needed', calling({}), 'phases[0].function.input.n: is required (shop:charge@1)'],
    [
      'an unknown name',
      calling({ input: { n: '${{ input.m }}' } }),
      'phases[0].function.input.n: ${{ input.m }}: input.m: not in the schema of input, which has n',
    ],
    [
      'its own answer',
      calling({ input: { n: '${{ phases.pay.output.n }}' } }),
      'phases[0].function.input.n: ${{ phases.pay.output.n }}: phases.pay: pay is not an earlier phase',
    ],
    [
      'what the answer has not',
      calling({ input: { n: 1 } }, {}, '${{ phases.pay.output.m }}'),
      'output: ${{ phases.pay.output.m }}: phases.pay.output.m: not in the schema of phases.pay.output, which has n',
    ],
    [
      'an unknown way back',
      calling({ input: { n: 1 } }, undo({}, 'shop:gone')),
      'phases[0].compensate.function: there is no function shop:gone',
    ],
    [
      'a way back of another shape',
      calling({ input: { n: 1 } }, undo({ n: [] })),
      'phases[0].compensate.input.n: must be number (shop:charge@1)',
    ],
  ])('is refused for %s', (_, template, error) => {
    expect(errorsOf(template)).toEqual([error])
  })

  test('undoes a phase by what that phase has answered', () => {
    const template = calling({ input: { n: 1 } }, undo({ n: '${{ phases.pay.output.n }}' }))
    expect(compiled(template).definition.phases[0]?.compensate).toEqual({
      ...{ function: 'shop:charge', input: { n: '${{ phases.pay.output.n }}' } },
    })
  })

  test('is looked at when a function changes', async () => {
    const template = calling({ input: { n: 1 } }, {}, '${{ phases.pay.output.n }}')
    const next = { ...FUNCTION, id: 'shop:charge@2', output: { type: 'object', properties: { m: {} } } }
    const before = registryOf(template, FUNCTION)
    const broken = await brokenTemplates(
      before,
      registryOf(template, FUNCTION, next),
      new Set(['shop:charge@2']),
    )
    expect(broken).toEqual([{ id: 't@1', errors: [expect.objectContaining({ path: 'output' })] }])
  })
})
