// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is what expressions look like
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { readEntries } from './read-entries.ts'

const template = (phases: string, more = '') =>
  `kind: template\nid: t@1\nroles:\n  r: { capabilities: [spec] }\n${more}phases:\n${phases}`

const errorsOf = (text: string) => readEntries(text, 'a.yaml').errors

describe('reading entries', () => {
  it('reads several documents and knows the line of each', () => {
    const text = `kind: schema\nid: a@1\nschema: {}\n---\nkind: schema\nid: ns:b/c@2\nschema: { type: object }\n`
    const { entries, errors } = readEntries(text, 'a.yaml')
    expect(errors).toEqual([])
    expect(entries.map(({ entry, line }) => [entry.id, line])).toEqual([
      ['a@1', 1],
      ['ns:b/c@2', 5],
    ])
  })

  it('reads JSON', () => {
    const { entries } = readEntries('{\n\t"kind": "schema",\n\t"id": "a@1",\n\t"schema": {}\n}', 'a.json')
    expect(entries.map(({ entry }) => entry.id)).toEqual(['a@1'])
  })

  it('says where a wrong field stands, by path and by line', () => {
    const phases =
      '  - id: a\n    agent: { role: r, prompt: hi }\n  - id: g\n    gate:\n      title: ok?\n      deadline: soon\n'
    expect(errorsOf(template(phases))).toEqual([
      {
        path: 'phases[1].gate.deadline',
        message: 'expected an ISO 8601 duration such as PT30S or P3D (a.yaml:11:17)',
      },
    ])
  })

  it('names unknown fields wherever they are', () => {
    const phases = '  - id: a\n    agent: { role: r, prompt: hi, prompts: no }\n    extra: 1\n'
    expect(
      errorsOf(template(phases, 'colour: red\n'))
        .map(({ path }) => path)
        .sort(),
    ).toEqual(['colour', 'phases[0].agent.prompts', 'phases[0].extra'])
  })

  it.each([
    ['function: { name: Not An Id }', 'phases[0].function.name', 'expected [namespace:]name[@version]'],
    ['map: { over: x }', 'phases[0].map.phases', 'is missing'],
    ['cycle: { phases: [{ id: b }], max: 2 }', 'phases[0].cycle.phases[0]', 'has no kind'],
    [
      'parallel: { branches: [[{ id: b, wait: {} }]] }',
      'phases[0].parallel.branches[0][0].wait',
      'expected exactly one of',
    ],
    [
      'parallel: { branches: [[{ id: b, wait: { for: PT1S }, colour: red }]] }',
      'phases[0].parallel.branches[0][0].colour',
      'unknown field',
    ],
    ['compensate: {}\n    agent: { role: r, prompt: x }', 'phases[0].compensate.function', 'is missing'],
    ['title: nothing to do', 'phases[0]', 'has no kind: expected one of agent, function, gate, wait'],
    ['gate: { title: x }\n    agent: { role: r, prompt: x }', 'phases[0]', 'has two kinds, agent and gate'],
    ['wait: { for: PT1S, signal: x }', 'phases[0].wait', 'expected exactly one of for, until, signal, event'],
    ['wait: { for: never }', 'phases[0].wait.for', 'expected an ISO 8601 duration'],
    ['gate: { title: x, onReject: stop }', 'phases[0].gate.onReject', 'fail'],
    ['gate: { title: x, remindEvery: PT0.5S }', 'phases[0].gate.remindEvery', 'expected at least PT1S'],
    ['gate: { title: x, onReject: { goto: 7 } }', 'phases[0].gate.onReject.goto', 'expected string'],
    ['agent: { role: r, prompt: x, tools: [rm] }', 'phases[0].agent.tools[0]', 'unknown tool'],
    ['agent: { role: r }', 'phases[0].agent.prompt', 'is missing'],
  ])('explains a phase with %s', (phase, path, message) => {
    const errors = errorsOf(template(`  - id: a\n    ${phase}\n`))
    expect(errors).toEqual([{ path, message: expect.stringContaining(message) }])
  })

  it.each([
    ['kind: function\nid: a:b@1', 'source', 'is missing'],
    ['kind: function\nid: a:b@1\nsource: a.ts\ntimeout: P2D', 'timeout', 'at most a day'],
    [
      'kind: function\nid: a:b@1\nsource: a.ts\npermissions: { read: [a/b] }',
      'permissions.read[0]',
      'absolute',
    ],
    [
      'kind: function\nid: a:b@1\nsource: a.ts\npermissions: { net: [http://x] }',
      'permissions.net[0]',
      'a host',
    ],
    ['kind: poem', 'kind', 'expected one of template, persona, schema'],
    ['id: a', 'kind', 'is missing'],
    ['[1]', '$', 'expected an entry'],
    ['kind: schema\nid: a@1\nschema: {}\nid: b@1', 'a.yaml:4:1', 'unique'],
    ['kind: schema\nid: [a\nschema: {}', 'a.yaml:3:1', ''],
    ['kind: schema\nid: Not An Id\nschema: {}', 'id', 'expected [namespace:]name[@version]'],
    ['kind: schema\nid: a@1\nschema: { max: .inf }', 'schema.max', 'Infinity is not a JSON number'],
    ['kind: schema\nid: a@1\nschema: !!js/function x', 'a.yaml:3:9', 'Unresolved tag'],
    ['kind: schema\nid: a@1\nschema: { __proto__: 1 }', 'schema.__proto__', 'not allowed'],
    ['kind: schema\nid: a@1\nschema: *nothing', 'a.yaml:1:1', 'alias'],
    ['%YAML 1.1\n---\nkind: schema', 'a.yaml:', 'is not YAML 1.2'],
  ])('refuses %j', (text, path, message) => {
    expect(errorsOf(text)[0]).toEqual({
      path: expect.stringContaining(path),
      message: expect.stringContaining(message),
    })
  })

  it.each(['roles: { a: ${{ input.x }} }', 'tools: [${{ input.x }}]', 'when: ${{ input.x == "a: b" }}'])(
    'says that the expression in %j must be quoted',
    (line) => {
      const [error] = errorsOf(`kind: template\n${line}\n`)
      expect(error?.path).toMatch(/^a\.yaml:2:\d+$/)
      expect(error?.message).toContain('must be quoted')
    },
  )

  it('refuses aliases that multiply or go in circles', () => {
    const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]']
    for (let i = 1; i < 9; i++) {
      const [name, before] = [String.fromCharCode(97 + i), String.fromCharCode(96 + i)]
      bomb.push(`${name}: &${name} [${Array(9).fill(`*${before}`).join(', ')}]`)
    }
    expect(errorsOf(bomb.join('\n'))[0]?.message).toMatch(/alias/i)
    expect(errorsOf('kind: schema\nid: a@1\nschema: &s { s: *s }')[0]?.message).toContain('nests deeper')
  })

  it('bounds the size and depth of a file', () => {
    expect(errorsOf(`# ${'x'.repeat(1024 * 1024)}`)[0]).toEqual({
      path: 'a.yaml:1:1',
      message: 'is larger than 1 MB',
    })
    expect(errorsOf('['.repeat(50_000))[0]?.path).toMatch(/^a\.yaml:1:/)
    expect(
      errorsOf(`kind: schema\nid: a@1\nschema: ${'{a: '.repeat(70)}1${'}'.repeat(70)}`)[0]?.message,
    ).toContain('nests deeper')
  })

  it('makes text storable: what Postgres cannot hold becomes U+FFFD', () => {
    const { entries } = readEntries('kind: schema\nid: a@1\ntitle: "x\\0y\\ud800z"\nschema: {}', 'a.yaml')
    expect(entries[0]?.entry.title).toBe('x\uFFFDy\uFFFDz')
  })
})

describe('any text at all', () => {
  const snippets = fc.constantFrom(
    'kind: template\n',
    'id: a@1\n',
    'phases:\n',
    '  - id: x\n',
    '    agent: {',
    '}',
    '[',
    ']',
    '&a ',
    '*a',
    '${{ input.x }}',
    ': ',
    '- ',
    '"',
    "'",
    '|\n',
    '>\n',
    '---\n',
    '...\n',
    '? ',
    '!!map ',
    '\t',
    '#',
    '\u0000',
    '\ud800',
    '%YAML 1.1\n',
    '<<: *a\n',
    'wait: { for: PT1S }\n',
  )
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.array(snippets, { maxLength: 30 }).map((parts) => parts.join('')),
  )

  it('gives entries or errors with paths, and never throws', () => {
    fc.assert(
      fc.property(text, (source) => {
        for (const error of readEntries(source, 'f').errors) {
          expect(error.path).not.toBe('')
          expect(error.message).not.toBe('')
        }
      }),
      { numRuns: 500 },
    )
  })

  it('holds for any JSON put in the place of any part of an entry', () => {
    const entry = fc.record(
      {
        kind: fc.oneof(fc.constantFrom('template', 'persona', 'schema', 'function'), fc.jsonValue()),
        id: fc.oneof(fc.constant('a@1'), fc.jsonValue()),
        phases: fc.oneof(
          fc.array(
            fc.record(
              { id: fc.constant('a'), agent: fc.jsonValue(), gate: fc.jsonValue(), wait: fc.jsonValue() },
              { requiredKeys: [] },
            ),
          ),
          fc.jsonValue(),
        ),
        roles: fc.jsonValue(),
        model: fc.jsonValue(),
        schema: fc.jsonValue(),
        output: fc.jsonValue(),
      },
      { requiredKeys: ['kind'] },
    )
    fc.assert(
      fc.property(entry, fc.boolean(), (value, asYaml) => {
        const { entries, errors } = readEntries(asYaml ? stringify(value) : JSON.stringify(value), 'f')
        expect(entries.length + Math.min(errors.length, 1)).toBe(1)
        for (const error of errors) expect(error.path).not.toBe('')
      }),
      { numRuns: 300 },
    )
  })
})
