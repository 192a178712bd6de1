import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { checkArtifact } from '@devflow/definition'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { runTool, toolSpecs } from '../tools/index.ts'
import type { Message, ModelEvent } from './model.ts'
import type { Finding } from './offline/findings.ts'
import type { Spec } from './offline/spec.ts'
import type { Verdict } from './offline/verdict.ts'
import { offlineModel } from './offline.ts'

const TOOLS = ['read_file', 'list_dir', 'search_files', 'complete']
let root: string

const FILES: Record<string, string> = {
  'README.md':
    '![badge](x)\n\n# Orchard\n\nOrchard keeps count of the apples in a garden.\nIt runs on any machine.\n\n## Use\n',
  'package.json':
    '{\n  "name": "orchard",\n  "description": "Counts apples",\n  "main": "src/index.js",\n  "scripts": {\n    "test": "node --test",\n    "build": "tsc"\n  },\n  "engines": { "node": ">=20" }\n}\n',
  'src/index.js': "export * from './basket.js'\n",
  'src/basket.js':
    '// The basket\nexport function harvest(tree) {\n  return tree.apples // TODO: rotten ones\n}\n',
  'test/basket.test.js': "import { harvest } from '../src/basket.js'\n",
  Makefile: 'test:\n\tnpm test\n',
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'devflow-offline-'))
  for (const [path, text] of Object.entries(FILES)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text)
  }
})
afterAll(() => rm(root, { recursive: true }))

const schemaOf = async (name: string) =>
  parse(await readFile(new URL(`../../../../catalog/schemas/${name}.yaml`, import.meta.url), 'utf8')).schema

interface Played {
  content: unknown
  text: string
  turns: number
  messages: Message[]
}

/** Plays a phase to its end with the real tools, as a session would. */
async function play(
  prompt: { task: string; schema?: unknown; artifacts?: Record<string, unknown> },
  options: { tools?: string[]; root?: string | undefined } = { root },
): Promise<Played> {
  const blocks = Object.entries(prompt.artifacts ?? {}).map(
    ([name, value]) => `<artifact name="${name}" sha256="x">\n${JSON.stringify(value, null, 2)}\n</artifact>`,
  )
  const schema = prompt.schema
    ? [`<output-schema artifact="out">\n${JSON.stringify(prompt.schema)}\n</output-schema>`]
    : []
  const messages: Message[] = [
    { role: 'system', content: 'You are offline.' },
    { role: 'user', content: [prompt.task, ...blocks, ...schema].join('\n\n') },
  ]
  const tools = toolSpecs(options.tools ?? (prompt.schema ? TOOLS : TOOLS.slice(0, 3)))
  const signal = new AbortController().signal
  for (let turn = 1; turn < 20; turn++) {
    const request = {
      model: { provider: 'offline' as const, name: 'rules' },
      messages,
      tools,
      maxOutputTokens: 8192,
      sessionId: 's',
      phase: 'p',
      attempt: 1,
      turn,
    }
    const events: ModelEvent[] = []
    for await (const event of offlineModel().stream(request, signal)) events.push(event)
    const done = events.at(-1)
    if (done?.kind !== 'done') throw new Error('no end')
    messages.push({ role: 'assistant', content: done.content, toolCalls: done.toolCalls })
    const completion = done.toolCalls.find(({ name }) => name === 'complete')
    if (completion || done.toolCalls.length === 0)
      return {
        content: completion ? JSON.parse(completion.arguments).content : undefined,
        text: done.content,
        turns: turn,
        messages,
      }
    for (const call of done.toolCalls) {
      const content = options.root
        ? (await runTool(call, { root: options.root, signal })).content
        : 'This run has no workspace: there are no files to look at.'
      messages.push({ role: 'tool', toolCallId: call.id, name: call.name, content })
    }
  }
  throw new Error('it did not come to an end')
}

const TASK = 'Write a spec for: Count rotten apples in harvest'

async function errorsOf(name: string, value: unknown) {
  const jsonSchema = await schemaOf(name)
  return checkArtifact({ artifacts: { out: { schema: name, jsonSchema } } } as never, 'out', value)
}

describe('the spec', () => {
  test('fits its schema and cites lines that say what it quotes', async () => {
    const played = await play({ task: TASK, schema: await schemaOf('spec') })
    expect(await errorsOf('spec', played.content)).toEqual([])
    const spec = played.content as Spec
    const places = spec.requirements.flatMap(({ evidence = [] }) => evidence)
    expect(places.length).toBeGreaterThan(5)
    for (const { path, line, note } of places) {
      const text = FILES[path]?.split('\n')[(line ?? 0) - 1]
      expect(text).toContain(note?.replace('reads: ', ''))
    }
  })

  test('says what the repository is, in what languages, how it is tested, and where the request belongs', async () => {
    const { content } = await play({ task: TASK, schema: await schemaOf('spec') })
    const spec = content as Spec
    expect(spec.title).toBe('Count rotten apples in harvest')
    expect(spec.summary).toContain('Orchard keeps count of the apples in a garden. It runs on any machine.')
    expect(spec.summary).toContain('JavaScript (3 files)')
    const all = JSON.stringify(spec)
    expect(all).toContain('`npm run test` runs `node --test`')
    expect(all).toContain('`make test` is a target')
    expect(all).toContain('src/index.js')
    expect(spec.requirements[0]?.evidence?.[0]).toMatchObject({ path: 'src/basket.js' })
    expect(spec.risks[0]).toContain('src/basket.js:3')
  })

  test('is the same for the same repository, and takes few turns', async () => {
    const schema = await schemaOf('spec')
    const [one, two] = [await play({ task: TASK, schema }), await play({ task: TASK, schema })]
    expect(one.messages).toEqual(two.messages)
    expect(one.turns).toBeLessThan(8)
  })

  test('without a workspace asks which one is meant', async () => {
    const { content } = await play({ task: TASK, schema: await schemaOf('spec') }, { root: undefined })
    expect(await errorsOf('spec', content)).toEqual([])
    expect((content as Spec).openQuestions[0]).toMatch(/Which repository/)
  })

  test('of a repository that says nothing is still a spec', async () => {
    const empty = join(root, 'test')
    const { content } = await play({ task: 'x', schema: await schemaOf('spec') }, { root: empty })
    expect(await errorsOf('spec', content)).toEqual([])
  })
})

describe('review and verdict', () => {
  const phases = async (change: (spec: Spec) => void) => {
    const spec = (await play({ task: TASK, schema: await schemaOf('spec') })).content as Spec
    change(spec)
    const review = await play({
      task: 'Review the spec.',
      schema: await schemaOf('review-finding-batch'),
      artifacts: { spec },
    })
    expect(await errorsOf('review-finding-batch', review.content)).toEqual([])
    const findings = review.content as { findings: Finding[]; summary: string }
    const verify = await play({
      task: 'Verify the spec.',
      schema: await schemaOf('verification'),
      artifacts: { spec, findings },
    })
    expect(await errorsOf('verification', verify.content)).toEqual([])
    return { ...findings, ...(verify.content as Verdict), looked: review.messages }
  }

  test('find a true spec true, having read every place it cites', async () => {
    const { findings, verdict, checks, looked } = await phases(() => {})
    expect(findings).toEqual([])
    expect(verdict).toBe('pass')
    expect(checks.every(({ status }) => status === 'pass')).toBe(true)
    expect(looked.some(({ role }) => role === 'tool')).toBe(true)
  })

  test('find a place that is not there, a line too far and a false quote', async () => {
    const { findings, verdict, checks } = await phases((spec) => {
      const [first, ...rest] = spec.requirements
      const evidence = [
        { path: 'src/none.js', line: 1 },
        { path: 'src/basket.js', line: 99 },
        { path: 'src/basket.js', line: 2, note: 'reads: export function sow' },
      ]
      if (first) spec.requirements = [{ ...first, evidence }, ...rest]
    })
    expect(findings.map(({ severity, requirement, path }) => ({ severity, requirement, path }))).toEqual([
      { severity: 'major', requirement: 'R1', path: 'src/none.js' },
      { severity: 'major', requirement: 'R1', path: 'src/basket.js' },
      { severity: 'major', requirement: 'R1', path: 'src/basket.js' },
    ])
    expect(verdict).toBe('needs_work')
    expect(checks[0]).toMatchObject({ requirement: 'R1', status: 'fail' })
    expect(checks[0]?.evidence).toContain('src/basket.js:99 does not exist: the file has 4 lines.')
  })

  test('read a spec by another hand: places without quotes, quotes in backticks, none at all', async () => {
    const { findings, checks } = await phases((spec) => {
      spec.requirements = [
        {
          id: 'R1',
          text: 'a',
          evidence: [{ path: 'src/basket.js', line: 2, note: 'the function `harvest`' }],
        },
        { id: 'R2', text: 'b', evidence: [{ path: 'README.md' }] },
        { id: 'R3', text: 'c' },
      ]
    })
    expect(findings).toMatchObject([{ severity: 'minor', requirement: 'R3' }])
    expect(checks.map(({ status }) => status)).toEqual(['pass', 'pass', 'unclear'])
  })

  test('survive an input that is no spec', async () => {
    const review = await play({
      task: 'Review.',
      schema: await schemaOf('review-finding-batch'),
      artifacts: { spec: 'nothing' },
    })
    expect(review.content).toMatchObject({ findings: [{ severity: 'critical' }] })
  })
})

describe('work it does not know', () => {
  test('yields the least that the schema allows', async () => {
    const schema = {
      type: 'object',
      required: ['name', 'kind', 'size', 'tags', 'inner', 'when'],
      properties: {
        name: { type: 'string', minLength: 8 },
        kind: { enum: ['a', 'b'] },
        size: { type: 'integer', minimum: 3 },
        tags: { type: 'array', minItems: 2, items: { $ref: '#/$defs/tag' } },
        inner: {
          anyOf: [{ type: 'object', required: ['x'], properties: { x: { const: 1 } } }, { type: 'null' }],
        },
        when: { type: ['string', 'null'], format: 'date' },
      },
      $defs: { tag: { type: 'boolean' } },
    }
    const { content } = await play({ task: 'Do it.', schema })
    expect(content).toEqual({
      name: 'none....',
      kind: 'a',
      size: 3,
      tags: [false, false],
      inner: { x: 1 },
      when: '2000-01-01',
    })
    const errors = checkArtifact(
      { artifacts: { out: { schema: 'x', jsonSchema: schema } } } as never,
      'out',
      content,
    )
    expect(errors).toEqual([])
  })

  test('without a schema is answered in plain text', async () => {
    const { content, text } = await play({ task: 'What is this?' })
    expect(content).toBeUndefined()
    expect(text).toContain('Orchard keeps count')
  })

  test('without tools is answered at once', async () => {
    expect((await play({ task: 'x', schema: { type: 'object' } }, { tools: ['complete'], root })).turns).toBe(
      1,
    )
  })
})
