import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { terminalSecrets, terminalsOf } from './terminal-config.ts'

const GIVEN = {
  'claude-code': {
    command: ['claude', '--permission-mode', 'acceptEdits'],
    ready: '^>',
    busy: 'esc to interrupt',
    answers: [{ when: 'trust the files', keys: ['Enter'] }],
    env: ['ANTHROPIC_API_KEY', 'COLORTERM', 'NOT_SET_KEY'],
    limitMs: 1_000,
  },
}
const ENV = {
  PATH: '/bin',
  HOME: '/home/x',
  ANTHROPIC_API_KEY: 'sk-ant-1',
  COLORTERM: 'truecolor',
  DATABASE_URL: 'postgres://',
}

test('agents are described by the operator, and see what they are given of the environment', () => {
  const { 'claude-code': agent } = terminalsOf(JSON.stringify(GIVEN), ENV)
  expect(agent).toMatchObject({
    command: ['claude', '--permission-mode', 'acceptEdits'],
    ready: /^>/m,
    answer: 'file',
    limits: { startMs: 60_000, limitMs: 1_000 },
  })
  expect(agent?.env).toEqual({
    PATH: '/bin',
    HOME: '/home/x',
    ANTHROPIC_API_KEY: 'sk-ant-1',
    COLORTERM: 'truecolor',
  })
  expect(terminalSecrets(JSON.stringify(GIVEN), ENV)).toEqual(['sk-ant-1'])
})

test('a file holds the same', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'terminals-')), 'terminals.json')
  writeFileSync(file, JSON.stringify(GIVEN))
  expect(Object.keys(terminalsOf(file, ENV))).toEqual(['claude-code'])
  expect(terminalsOf(undefined, ENV)).toEqual({})
})

test.each([
  ['{no', /no JSON/],
  ['/no/such/file', /of no use: \/no\/such\/file/],
  ['{"a":{"ready":"^>","busy":"x"}}', /a → command: /],
  ['{"a":{"command":[],"ready":"^>","busy":"x"}}', /a → command/],
  ['{"a":{"command":["x"],"ready":"(","busy":"x"}}', /a → ready: .*group/i],
  ['{"a":{"command":["x"],"ready":"^>","busy":"x","shell":true}}', /a: .*shell/],
  [
    '{"a":{"command":["x"],"ready":"^>","busy":"x","folder":"here"}}',
    /a → folder: expected an absolute path/,
  ],
])('%s is refused, with what is wrong and where', (given, message) => {
  expect(() => terminalsOf(given, ENV)).toThrow(
    expect.objectContaining({ code: 'bad_config', message: expect.stringMatching(message) }),
  )
})
