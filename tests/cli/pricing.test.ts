import type { PriceListView, PriceView } from '@devflow/client'
import { expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { useCommandStack } from './stack.ts'

const devflow = useCommandStack()

const prices = (...options: string[]) =>
  devflow.json<{ items: PriceView[]; lists: PriceListView[] }>('pricing', 'list', ...options)

const entry = (id: string, prompt: string, completion = prompt) => ({ id, pricing: { prompt, completion } })
const listed = (...data: unknown[]) => devflow.stack.fake.listModels({ body: JSON.stringify({ data }) })

test('a worker that begins reads the list; who asks by hand has it read again, exactly', async () => {
  const { lists } = await eventually(
    () => prices(),
    ({ lists }) => lists.some(({ refreshedAt }) => refreshedAt !== undefined),
  )
  expect(lists).toMatchObject([{ provider: 'openrouter', models: 4 }])
  listed(entry('new/model', '1e-12', '0.00000451'), entry('openrouter/auto', '-1'))
  const list = await devflow.json<PriceListView>('pricing', 'refresh')
  expect(list).toMatchObject({ models: 1, leftOut: { price_depends: 1 }, ageSeconds: expect.any(Number) })
  const { items } = await prices('--model', 'NEW/')
  expect(items).toMatchObject([
    { model: 'new/model', source: 'list', price: { input: 0.000001, output: 4.51 } },
  ])
})

test('prices stand as a table with their source and age, in English and Korean', async () => {
  listed(entry('shown/model', '0.0000015', '0.00001'))
  const { stdout } = await devflow.run('pricing', 'refresh')
  expect(stdout).toMatch(/^Price list of openrouter: 1 models, \d+s old\.\n$/)
  const [head, row] = (await devflow.run('pricing', '--model', 'shown')).stdout.split('\n')
  expect(head).toMatch(/^PROVIDER +MODEL +INPUT +OUTPUT +CACHED +SOURCE +AGE$/)
  expect(row).toMatch(/^openrouter +shown\/model +\$1\.50 +\$10\.00 +list +\d+s$/)
  const korean = (await devflow.run('pricing', 'list', '--provider', 'openai', '--lang', 'ko')).stdout.split(
    '\n',
  )
  expect(korean[0]).toMatch(/^제공자 +모델 /)
  expect(korean[1]).toMatch(/^openai +gpt-4\.1 .* 내장 +\d+d$/)
})

test('a list that is no list is told, and breaks no run', async () => {
  devflow.stack.fake.listModels({ body: '<html>' })
  const refused = await devflow.start(['pricing', 'refresh']).ended
  expect(refused.code).toBe(1)
  expect(refused.stdout).toContain('could not be read')
  listed(entry('deepseek/deepseek-chat', '1e999'), entry('deepseek/deepseek-chat', '-1'), null, 'x')
  await devflow.start(['pricing', 'refresh']).ended
  const { items } = await prices('--model', 'deepseek/deepseek-chat')
  expect(items[0]).toMatchObject({ price: { input: 0.32, output: 0.89 } })
  expect(await devflow.json('run', 'asks@1', '--detach')).toMatchObject({ status: 'queued' })
})

test('configured prices count before the list’s; a run with a limit then takes a model of no list', async () => {
  const { stack } = devflow
  await stack.stopWorker()
  const configured = {
    openrouter: {
      'nobody/knows-its-price': { input: '0.25', output: 1.5, request: 10, contextWindow: 16_000 },
    },
  }
  await stack.startWorker({ DEVFLOW_PRICING: JSON.stringify(configured) })
  const run = await stack.submit(
    'kind: template\nid: u@1\nroles: { w: { persona: unpriced@1 } }\nphases: [{ id: work, agent: { role: w, prompt: Work } }]',
    { budget: { limitMicroUsd: 10_000 } },
  )
  await stack.untilStatus(run, 'completed')
  const { rows } = await stack.pool.query(
    'select reserved_micro_usd::float8 as reserved, reserved_tokens::int as tokens from devflow.model_calls where run_id = $1',
    [run],
  )
  // The cap of its output is 500 tokens.
  expect(rows[0].reserved).toBe((rows[0].tokens - 500) * 0.25 + 500 * 1.5 + 10)
  expect((await prices('--model', 'nobody')).items).toMatchObject([
    { source: 'configuration', contextWindow: 16_000, price: { input: 0.25, output: 1.5, request: 10 } },
  ])
  await stack.stopWorker()
  await expect(
    stack.startWorker({ DEVFLOW_PRICING: '{"openrouter":{"a/b":{"input":-1,"output":1}}}' }),
  ).rejects.toThrow(/DEVFLOW_PRICING is wrong. openrouter → a\/b → input: expected micro-dollars a token/)
})
