import type { Call, Run, UsageItem } from '@devflow/client'
import { beforeAll, expect, test } from 'vitest'
import { useCommandStack } from './stack.ts'

const devflow = useCommandStack()

let run: Run
beforeAll(async () => {
  const { id } = await devflow.json<Run>('run', 'works@1', '--detach', '--label', 'team==web')
  await devflow.stack.untilStatus(id, 'completed')
  run = await devflow.json<Run>('runs', 'show', id)
})

const usage = async (...options: string[]) =>
  (await devflow.json<{ items: UsageItem[] }>('usage', ...options)).items

test('usage, the run, its report and its calls say the same of the money', async () => {
  const [item] = await usage('--by', 'run')
  const { items: calls } = await devflow.json<{ items: Call[] }>('calls', run.id)
  const report = await devflow.json<{ usage: Run['usage'] }>('runs', 'report', run.id)
  expect(run.usage.costMicroUsd).toBeGreaterThan(0)
  expect(item).toMatchObject({ key: run.id, template: 'works@1', calls: calls.length, ...run.usage })
  expect(report.usage).toMatchObject(run.usage)
})

test('of a day, by what the provider says has answered', async () => {
  const today = new Date().toISOString().slice(0, 10)
  const items = await usage('--by', 'model', '--from', run.createdAt, '--to', today)
  expect(items).toEqual([expect.objectContaining({ key: 'deepseek/deepseek-chat-v3', ...run.usage })])
})

test('stands as a table with its sum, in English and Korean, and fits 80 columns', async () => {
  const { stdout } = await devflow.run('usage', '--label', 'team')
  const [head, row, total] = stdout.split('\n')
  expect(head).toMatch(/^team +CALLS +IN +CACHED +OUT +COST$/)
  expect(row).toMatch(/^=web +\d+ +[\d,]+ +[\d,]* *\d+ +(<\$|\$0\.)\d+/)
  expect(total).toMatch(/^\d+ calls?, (<\$|\$0\.)/)
  const korean = (await devflow.run('usage', '--lang', 'ko')).stdout.split('\n')
  expect(korean[0]).toMatch(/^모델 +호출 +입력 +캐시 +출력 +비용$/)
  expect(korean.at(-2)).toMatch(/^호출 \d+번, /)
  expect((await devflow.run('usage', '--to', '2020-01-01')).stdout).toBe('No model was called.\n')
})

test('as CSV, and so the calls of a run', async () => {
  const { stdout } = await devflow.run('usage', '--label', 'team', '--csv')
  expect(stdout.split('\r\n').slice(0, 2)).toEqual([
    expect.stringMatching(/^key,provider,template,deleted,calls,inputTokens,/),
    expect.stringMatching(/^'=web,,,,\d+,/),
  ])
  const { stdout: calls } = await devflow.run('calls', run.id, '--csv')
  expect(calls).toMatch(
    /^id,phase,attempt,turn,persona,provider,model,.*\r\nwork\/1\/1\/call-1,work,1,1,agent@1,/,
  )
})

test.each([
  [['usage', '--by', 'week'], /choices are/],
  [['usage', '--by', 'label'], /--label <key>/],
  [['usage', '--from', 'yesterday'], /from: expected a day such as 2030-01-31/],
  [['usage', '--csv', '--json'], /do not go together/],
  [['calls', 'last', '--csv', '--json'], /do not go together/],
])('%j is bad usage', async (args, said) => {
  const { code, stderr } = await devflow.run(...args)
  expect([code, stderr]).toEqual([2, expect.stringMatching(said)])
})
