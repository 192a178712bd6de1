// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is what expressions look like
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isAlive } from '../support/alive.ts'
import { eventually } from '../support/eventually.ts'
import { callTemplate } from '../support/functions.ts'
import { eventOf, eventsOf, type Standing, statusesOf } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'

let folder: string
let files = 0
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'devflow-functions-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const faults = join(tmpdir(), `devflow-functions-fault-${process.pid}`)
const stack = useStack({ SHOP_TOKEN: 'shop-token-of-the-test', DEVFLOW_FAULT_FILE: faults })

/** A file that functions leave their traces in. */
async function traces(): Promise<{ file: string; permissions: object; lines: () => Promise<string[]> }> {
  const file = join(folder, `traces-${++files}`)
  await writeFile(file, '')
  await chmod(file, 0o666)
  const lines = async () => (await readFile(file, 'utf8')).split('\n').filter(Boolean)
  return { file, permissions: { read: [file], write: [file] }, lines }
}

/** Code that leaves its key in a file, and then does something. */
const tracing = (then: string) => `import { appendFileSync, readFileSync } from 'node:fs'
  export default async function (input: { file: string }, ctx) {
    appendFileSync(input.file, ctx.idempotencyKey + '\\n')
    const nth = readFileSync(input.file, 'utf8').split('\\n').length - 1
    ${then}
  }`

const keyOf = (run: Standing) => eventsOf(run, 'function.started')[0]?.data.idempotencyKey

describe('a function phase', () => {
  test('calls the function with what its expressions make, and its answer is the phase’s output', async () => {
    const source = `export default async function (input: { words: string[] }, ctx) {
      ctx.log('asked for', input.words.length)
      return { text: input.words.join(' '), key: ctx.idempotencyKey, attempt: ctx.attempt, phase: ctx.phase }
    }`
    const words = { type: 'array', items: { type: 'string' } }
    const template = callTemplate(source, {
      entry: { effects: 'none', input: { type: 'object', required: ['words'], properties: { words } } },
      input: { words: ['a', '${{ input.word }}'] },
    })
    const run = await stack.finish(template, { input: { word: 'tea' } })
    expect(run.error).toBe(null)
    expect(run.output).toEqual({ text: 'a tea', key: `${run.id}/call/1`, attempt: 1, phase: 'call' })
    expect(eventOf(run, 'function.started').data).toMatchObject({
      ...{ function: 'fn@1', idempotencyKey: `${run.id}/call/1`, effects: 'none' },
      input: { words: ['a', 'tea'] },
    })
    expect(eventOf(run, 'function.completed').data).toMatchObject({ ok: true, log: ['asked for 2'] })
  })

  test('stands in maps and hands large answers on, without a declared secret', async () => {
    const source = `export default (input: { n: number }) =>
      ({ n: input.n, token: process.env.SHOP_TOKEN, text: 'word '.repeat(input.n * 4_000) })`
    const inside = { id: 'call', function: { name: 'fn@1', input: { n: '${{ item }}' } } }
    const [, entry] = callTemplate(source, { entry: { permissions: { env: ['SHOP_TOKEN'] } } }).split(
      '\n---\n',
    )
    const template = {
      ...{ kind: 'template', id: 'each@1' },
      phases: [
        { id: 'each', map: { over: [1, 2], phases: [inside] } },
        { id: 'again', function: { name: 'fn@1', input: { n: '${{ size(phases.each.output) }}' } } },
      ],
      output:
        '${{ phases.each.output.map(one, [one.n, size(one.text), one.token]) + [[phases.again.output.n]] }}',
    }
    const run = await stack.finish(`${JSON.stringify(template)}\n---\n${entry}`)
    expect(run.error).toBe(null)
    expect(run.output).toEqual([[1, 20_000, '[secret]'], [2, 40_000, '[secret]'], [2]])
    expect(JSON.stringify(run)).not.toContain('shop-token-of-the-test')
  })

  test('fails as the function does, and is tried again under the same key', async () => {
    const { file, permissions, lines } = await traces()
    const source = tracing(`if (nth < 3) throw new RangeError('too early: ' + process.env.SHOP_TOKEN)
      return { nth, attempt: ctx.attempt }`)
    const entry = { permissions: { ...permissions, env: ['SHOP_TOKEN'] } }
    const retry = { retry: { maxAttempts: 3, backoff: 'PT0.01S' } }
    const run = await stack.finish(callTemplate(source, { entry, input: { file }, phase: retry }))
    expect(run.output).toEqual({ nth: 3, attempt: 3 })
    expect(eventsOf(run, 'phase.failed')[0]?.data.error).toEqual({
      ...{ kind: 'INTERNAL', code: 'function_failed', message: 'fn@1: RangeError: too early: [secret]' },
    })
    expect(new Set(await lines())).toEqual(new Set([keyOf(run)]))
    expect(eventsOf(run, 'function.completed').map(({ data }) => data.ok)).toEqual([false, false, true])
  })

  test.each([
    ['export default () => ({ n: "seven" })', {}, {}, 'function_output_invalid', 'n: must be integer'],
    [
      'export default () => 1',
      {},
      { input: { n: '${{ input }}' } },
      'function_input_invalid',
      'n: must be integer',
    ],
    ['export default () => { for (;;) {} }', { timeout: 'PT0.3S' }, {}, 'function_timeout', 'within 0.3 s'],
    [
      'export default () => { for (;;) {} }',
      {},
      { phase: { timeout: 'PT0.3S' } },
      'phase_timeout',
      'timeout',
    ],
    ['throw new Error("unloadable")\nexport default () => 1', {}, {}, 'function_failed', 'unloadable'],
    ['export default 7', {}, {}, 'function_failed', 'not a function'],
  ])('tells what is wrong: %s %j %j', async (source, entry, call, code, message) => {
    const schema = { type: 'object', properties: { n: { type: 'integer' } } }
    const run = await stack.finish(
      callTemplate(source, { entry: { input: schema, output: schema, ...entry }, ...call }),
    )
    expect(run.error).toMatchObject({ code, message: expect.stringContaining(message) })
  })

  test('is stopped by a cancel within two seconds', async () => {
    const { file, permissions, lines } = await traces()
    const source = tracing('for (;;) {}')
    const run = await stack.submit(callTemplate(source, { entry: { permissions }, input: { file } }))
    await eventually(lines, (all) => all.length === 1)
    const asked = performance.now()
    await stack.command(run, 'cancel')
    const end = await stack.untilStatus(run, 'canceled')
    expect(performance.now() - asked).toBeLessThan(2_500)
    expect(statusesOf(end)).toEqual({ call: 'canceled' })
    expect(eventsOf(end, 'function.completed')).toEqual([])
  })

  test('runs once more under the same key when its worker died before the answer was on record', async () => {
    const { file, permissions, lines } = await traces()
    await writeFile(faults, 'after-effect:1')
    const died = stack.worker
    const run = await stack.submit(
      callTemplate(tracing('return { nth }'), { entry: { permissions }, input: { file } }),
    )
    await eventually(
      async () => isAlive(died.pid),
      (alive) => !alive,
    )
    await stack.startWorker()
    const end = await stack.untilStatus(run, 'completed', 'failed')
    expect(end.output).toEqual({ nth: 2 })
    expect(await lines()).toEqual([keyOf(end), keyOf(end)])
    expect(eventsOf(end, 'function.started')).toHaveLength(1)
  })

  test('never runs again once its answer is on record', async () => {
    const { file, permissions, lines } = await traces()
    const then = [{ id: 'ok', gate: { title: 'Go on?' } }]
    const source = tracing('return { nth }')
    const run = await stack.submit(callTemplate(source, { entry: { permissions }, input: { file }, then }))
    await stack.untilEvent(run, 'gate.opened')
    await stack.worker.kill()
    await stack.startWorker()
    await stack.decide(run, 'ok')
    expect((await stack.untilStatus(run, 'completed', 'failed')).output).toEqual({ nth: 1 })
    expect(await lines()).toHaveLength(1)
  })
})
