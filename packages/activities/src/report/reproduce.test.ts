import { spawnSync } from 'node:child_process'
import type { SubmitRun } from '@devflow/contracts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { reproduce, type Source } from './reproduce.ts'

const source = (more: Partial<Source['progress']> = {}): Source => ({
  progress: {
    template: 'spec-and-review@1',
    input: { request: 'x' },
    budget: {},
    workspace: undefined,
    labels: {},
    ...more,
  },
  definition: { budget: { limitMicroUsd: 500_000, onExceeded: 'block' } },
  facts: { bindings: {}, phases: [] },
})

/** What commands of these names are given by a real shell: their arguments, and their standard input. */
function played(script: string): { args: string[]; stdin: string } {
  const record = `{ printf '%s\\0' "$@"; printf '\\0'; cat; }`
  const { stdout, status, stderr } = spawnSync(
    'sh',
    ['-c', `devflow() ${record}\ncurl() ${record}\n${script}`],
    {
      input: '',
      encoding: 'utf8',
    },
  )
  if (status !== 0) throw new Error(stderr)
  const end = stdout.indexOf('\0\0')
  return { args: stdout.slice(0, end).split('\0'), stdin: stdout.slice(end + 2) }
}

/** The request that a `devflow run` of these arguments sends, by the command's contract. */
function requestOf({ args, stdin }: { args: string[]; stdin: string }): SubmitRun {
  const [run, template = '', ...options] = args
  expect(run).toBe('run')
  const request: SubmitRun = { template }
  const pair = (text = ''): [string, string] => [
    text.slice(0, text.indexOf('=')),
    text.slice(text.indexOf('=') + 1),
  ]
  while (options.length > 0) {
    const option = options.shift()
    if (option === '--yes') continue
    const value = options.shift() ?? ''
    if (option === '--input') request.input = Object.assign(request.input ?? {}, fieldOf(pair(value)))
    else if (option === '--input-file') request.input = JSON.parse(stdin)
    else if (option === '--bind')
      request.bindings = { ...request.bindings, ...Object.fromEntries([pair(value)]) }
    else if (option === '--label')
      request.labels = { ...request.labels, ...Object.fromEntries([pair(value)]) }
    else if (option === '--repo') request.workspace = { ...request.workspace, repo: value }
    else if (option === '--base') request.workspace = { repo: '', ...request.workspace, base: value }
    else if (option === '--budget') request.budget = { limitMicroUsd: Math.round(Number(value) * 1e12) / 1e6 }
    else throw new Error(`what is ${option}?`)
  }
  return request
}

function fieldOf([name, text]: [string, string]): Record<string, unknown> {
  try {
    return { [name]: JSON.parse(text) }
  } catch {
    return { [name]: text }
  }
}

const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom(
    "'",
    '"',
    '$(id)',
    '`id`',
    '\\',
    'END',
    '\nEND\n',
    '5',
    'true',
    '{"a":1}',
    '-x',
    '',
    ' ',
    '\u202e',
    '\u2028',
  ),
)
const json = fc.jsonValue({ maxDepth: 2 })

describe('both commands send the very request, through a real shell', () => {
  test('whatever the input holds', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.dictionary(fc.oneof(text, fc.constantFrom('a', 'b_c')), fc.oneof(text, json)), json),
        (input) => {
          const { request, cli, curl } = reproduce(source({ input }))
          // JSON knows no negative zero.
          const sent = JSON.parse(JSON.stringify(request))
          expect(JSON.parse(played(curl).stdin)).toEqual(sent)
          expect(requestOf(played(cli))).toEqual(sent)
        },
      ),
      { numRuns: 60 },
    )
  })

  test('with bindings, budget, labels, and the commit the run worked on', () => {
    const { request, cli, curl } = reproduce({
      ...source({
        workspace: { repo: "/home/ann's work/repo", base: 'main' },
        budget: { limitMicroUsd: 1_250_000.5, onExceeded: 'block' },
        labels: { team: 'web & mobile' },
      }),
      facts: { bindings: { reviewer: 'x:y@2' }, phases: [{ commit: null }, { commit: 'c0ffee' }] },
    })
    expect(request).toEqual({
      template: 'spec-and-review@1',
      input: { request: 'x' },
      bindings: { reviewer: 'x:y@2' },
      budget: { limitMicroUsd: 1_250_000.5 },
      workspace: { repo: "/home/ann's work/repo", base: 'c0ffee' },
      labels: { team: 'web & mobile' },
    })
    expect(JSON.parse(played(curl).stdin)).toEqual(request)
    expect(requestOf(played(cli))).toEqual(request)
  })
})

test('the template’s own budget is not repeated', () => {
  expect(
    reproduce(source({ budget: { limitMicroUsd: 500_000, onExceeded: 'block' } })).request,
  ).not.toHaveProperty('budget')
})
