// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is what expressions look like
import { DevflowError } from '@devflow/contracts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkExpression, evaluate, type Scope } from './cel.ts'
import { evaluateValue, isTrue, partsOf, render } from './interpolation.ts'

const scope: Scope = {
  input: { n: 3, half: 0.5, name: 'Ada', list: [1, 2, 3], 'a-b': 1, nothing: null },
  artifacts: { verdict: { verdict: 'pass', checks: [{ requirement: 'R1', status: 'pass' }] } },
  phases: { 'a-phase': { output: { x: 1 }, status: 'completed' } },
  run: { id: 'r', attempt: 1 },
}

function failure(work: () => unknown): DevflowError {
  try {
    work()
  } catch (error) {
    if (error instanceof DevflowError) return error
    throw error
  }
  throw new Error('did not fail')
}

describe('evaluating an expression', () => {
  it.each([
    ['artifacts.verdict.verdict == "pass"', true],
    ['input.n + 1', 4],
    ['2 * input.n', 6],
    ['input.n / 2', 1.5],
    ['input.n % 2', 1],
    ['7 / 2', 3],
    ['input.half * input.n', 1.5],
    ['input.n > 2 && input.half < 1', true],
    ['input.list.map(x, x * 2)', [2, 4, 6]],
    ['input.list[0]', 1],
    ['input.list[size(input.list) - 1]', 3],
    ['size(input.list)', 3],
    ['uint(3)', 3],
    ['phases["a-phase"].output.x', 1],
    ['{"a": [1, 2.5], "b": null}', { a: [1, 2.5], b: null }],
    ['timestamp("2031-01-01T00:00:00Z") + duration("1h")', '2031-01-01T01:00:00.000Z'],
    ['duration("90s")', '90s'],
    ['b"hi"', 'aGk='],
    ['has(artifacts.spec)', false],
    ['run.attempt', 1],
    ['input.nothing', null],
    ['artifacts.verdict.checks.all(c, c.status == "pass")', true],
  ])('%s', (expression, value) => {
    expect(evaluate(expression, scope)).toEqual(value)
  })

  it.each([
    'input.missing',
    'artifacts.spec.title',
    '1 +',
    '',
    'nothing.here',
    'input.name + 1',
    '1 / 0',
    'input.constructor',
    'input.__proto__',
    '9007199254740993',
    'type(1)',
    `"${'x'.repeat(5000)}"`,
  ])('fails with a code and its own text: %s', (expression) => {
    const error = failure(() => evaluate(expression, scope))
    expect([error.kind, error.code]).toEqual(['INVALID', 'expression_failed'])
    expect(error.message).toContain(expression.slice(0, 100))
    expect(error.message).not.toContain('\n')
  })

  it('gives a value or an expression_failed for any text', () => {
    const piece = fc.constantFrom(
      'input',
      'artifacts',
      '.',
      'n',
      '[',
      ']',
      '(',
      ')',
      '"a"',
      '1',
      '+',
      '==',
      '?',
      ':',
      'map',
      ',',
      'has',
      '{',
      '}',
      '!',
      '-',
      ' in ',
    )
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(piece).map((pieces) => pieces.join('')),
    )
    fc.assert(
      fc.property(text, (expression) => {
        const checked = checkExpression(expression)
        if ('error' in checked) expect(checked.error).not.toBe('')
        try {
          JSON.stringify(evaluate(expression, scope))
        } catch (error) {
          expect(error).toMatchObject({ kind: 'INVALID', code: 'expression_failed' })
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('reads data that has a field of the name constructor, wherever it stands', () => {
    const car = { constructor: 'Ferrari', q: 1 }
    const odd: Scope = {
      ...scope,
      input: { ...car, list: [car], inner: { car } },
      phases: { constructor: { output: car, status: 'completed' } },
      locals: { item: car },
    }
    for (const [expression, value] of [
      ['input.q', 1],
      ['input.constructor', 'Ferrari'],
      ['input.inner.car', car],
      ['input.list.map(x, x.q)', [1]],
      ['item.constructor + "!"', 'Ferrari!'],
      ['phases.constructor.status', 'completed'],
    ] as const)
      expect(evaluate(expression, odd), expression).toEqual(value)
  })

  it('is stopped when it takes too long', () => {
    const list = Array.from({ length: 3000 }, (_, index) => index)
    const nested = 'input.map(a, input.map(b, input.map(c, a == b)))'
    const started = performance.now()
    expect(failure(() => evaluate(nested, { ...scope, input: list })).message).toContain('took too long')
    const regex = 'input.matches("^(a+)+$")'
    expect(failure(() => evaluate(regex, { ...scope, input: `${'a'.repeat(50)}b` })).message).toContain(
      'took too long',
    )
    expect(performance.now() - started).toBeLessThan(5000)
  })

  it('is refused a value that is too large', () => {
    const input = 'x'.repeat(3_000_000)
    expect(failure(() => evaluate('input + input', { ...scope, input })).message).toContain(
      'larger than 4 MB',
    )
  })

  it('gives a copy, so that nobody changes the scope through it', () => {
    const value = evaluate('artifacts.verdict', scope)
    expect(value).toEqual(scope.artifacts.verdict)
    expect(value).not.toBe(scope.artifacts.verdict)
  })
})

describe('text with expressions', () => {
  it('puts strings as they are and everything else as JSON', () => {
    const text = 'For ${{ input.name }}: ${{ input.n }} of ${{ input.list }}, ${{ input.nothing }}'
    expect(render(text, scope)).toBe('For Ada: 3 of [1,2,3], null')
  })

  it('finds the end of an expression behind braces and strings', () => {
    expect(render('<${{ {"a": {"b": 1}} }}>', scope)).toBe('<{"a":{"b":1}}>')
    expect(render('<${{ "}}" + r"\\d" + \'${{\' + "\\"}}" }}>', scope)).toBe('<}}\\d${{"}}>')
    expect(render('<${{ """a"}}""" }}>', scope)).toBe('<a"}}>')
    expect(render('<${{ {"a": 1}}}>', scope)).toBe('<{"a":1}>')
  })

  it('refuses an expression without an end', () => {
    expect(failure(() => render('Hi ${{ input.name', scope)).message).toContain('no closing }}')
  })

  it('keeps texts without expressions as they are', () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !text.includes('${{')),
        (text) => {
          expect(render(text, scope)).toBe(text)
        },
      ),
    )
  })

  it('loses nothing when it splits a text', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string(), fc.constantFrom('${{', '}}', '"', "'", '{', '}', '\\', 'r"'))),
        (pieces) => {
          const text = pieces.join('')
          try {
            const length = partsOf(text).reduce(
              (sum, part) => sum + ('text' in part ? part.text.length : part.expression.length + 5),
              0,
            )
            expect(length).toBeLessThanOrEqual(text.length)
          } catch (error) {
            expect(error).toBeInstanceOf(DevflowError)
          }
        },
      ),
    )
  })
})

describe('JSON with expressions', () => {
  it('keeps the type of a value that is one expression', () => {
    const value = {
      all: '${{ artifacts.verdict.checks }}',
      text: 'n=${{ input.n }}',
      plain: 1,
      list: ['${{ input.n }}'],
    }
    expect(evaluateValue(value, scope)).toEqual({
      all: [{ requirement: 'R1', status: 'pass' }],
      text: 'n=3',
      plain: 1,
      list: [3],
    })
    expect(evaluateValue('${{ artifacts.verdict }}', scope)).toEqual(scope.artifacts.verdict)
  })
})

describe('a condition', () => {
  it('holds, does not hold, or is an error', () => {
    expect(isTrue(undefined, scope)).toBe(true)
    expect(isTrue(false, scope)).toBe(false)
    expect(isTrue('${{ input.n > 2 }}', scope)).toBe(true)
    expect(isTrue('${{ input.n > 4 }}', scope)).toBe(false)
    expect(failure(() => isTrue('${{ input.n }}', scope)).message).toContain('expected true or false')
    expect(failure(() => isTrue('yes', scope)).code).toBe('expression_failed')
  })
})
