import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { parse } from 'yaml'
import { useCommandStack } from './stack.ts'

const devflow = useCommandStack()
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'devflow-sources-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const cel = (expression: string) => `\${{ ${expression} }}`
const file = async (name: string, text: string) => {
  await writeFile(join(folder, name), text)
  return join(folder, name)
}

test('events are published once, listed and followed by pattern', async () => {
  const followed = devflow.start(['events', 'follow', 'shop.*', '--json', '--after', '0'])
  const publish = (...args: string[]) => devflow.run('events', 'publish', ...args)
  expect((await publish('shop.paid', '--data', '{"order":17}', '--id', 'o17')).stdout).toMatch(
    /^Published as \d+/,
  )
  expect((await publish('shop.paid', '--id', 'o17')).stdout).toMatch(/id o17 was published before/)
  await publish('elsewhere', '--data', 'plain words')
  const { items } = await devflow.json<{ items: unknown[] }>('events', 'list')
  expect(items).toMatchObject([
    { topic: 'shop.paid', id: 'o17', data: { order: 17 } },
    { topic: 'elsewhere', data: 'plain words' },
  ])
  const { stdout } = await devflow.run('events', 'list', 'shop.*')
  expect(stdout).toMatch(/^ +\d+ {2}\S+ {2}shop\.paid +o17 {2}\{"order":17\}\n$/)
  await followed.until('"o17"')
  followed.signal('SIGINT')
  expect(await followed.ended).toMatchObject({ code: 130, stdout: expect.not.stringContaining('elsewhere') })
})

test('triggers are made by files, shown as files, and deleted', async () => {
  const yaml = await file(
    'triggers.yaml',
    `id: large\ntopic: orders.paid\nmatch: ${cel('event.data.total > 100')}\nsubmit: { template: waits@1 }\n---\nid: any\ntopic: orders.**\nsubmit: { template: waits@1 }\nenabled: false\n`,
  )
  expect((await devflow.run('triggers', 'apply', yaml)).stdout).toBe('+ large\n+ any\n')
  expect((await devflow.run('triggers', 'apply', yaml)).stdout).toBe('~ large\n~ any\n')
  await devflow.run('events', 'publish', 'orders.paid', '--data', '{"total":250}')
  await vi.waitFor(
    async () =>
      expect((await devflow.run('triggers', 'list')).stdout).toMatch(
        /^large +orders\.paid +waits@1 +on +\S+ submitted$/m,
      ),
    { timeout: 10_000 },
  )
  const { stdout } = await devflow.run('triggers', 'show', 'large')
  expect(stdout).toMatch(/^# latest: \S+ {2}submitted {2}\S+$/m)
  expect(parse(stdout)).toEqual({
    id: 'large',
    topic: 'orders.paid',
    match: cel('event.data.total > 100'),
    submit: { template: 'waits@1' },
    enabled: true,
  })
  expect((await devflow.run('triggers', 'delete', 'large')).stdout).toBe('large is deleted.\n')
  expect(await devflow.run('triggers', 'show', 'large')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('devflow triggers list'),
  })
})

test('what a file may not say is told by file and line', async () => {
  const broken = await file(
    'broken.yaml',
    'id: fine\nspec: { cron: ["@daily"] }\nsubmit: { template: waits@1 }\n---\nid: broken\nspec: { cron: ["0 25 * * *"] }\nsubmit: { template: waits@1 }\n',
  )
  const { code, stderr } = await devflow.run('schedules', 'apply', broken)
  expect(code).toBe(2)
  expect(stderr).toMatch(/broken\.yaml:5: .*spec\.cron\.0.*hour: 25 is not from 0 to 23/)
  const none = await devflow.run('schedules', 'apply', await file('none.yaml', 'spec: {}\n'))
  expect(none).toMatchObject({ code: 2, stderr: expect.stringMatching(/none\.yaml:1 holds none/) })
})

test('files are read as the API reads its folders, and what is hard to see is said', async () => {
  const head = 'kind: template\nid: acme:t@1\nphases:\n'
  for (const [text, words] of [
    [`${head}  - { id: g, gate: { title: \${{ input.x }} } }\n`, /line 4.* must be quoted/],
    [`%YAML 1.1\n---\n${head}`, /it is not YAML 1\.2/],
    [`${head}  - { id: !odd g }\n`, /Unresolved tag/],
  ] as const) {
    const { code, stderr } = await devflow.run('registry', 'apply', await file('odd.yaml', text))
    expect(stderr).toMatch(words)
    expect(code).toBe(2)
  }
})

test('schedules are paused, resumed, triggered and backfilled', async () => {
  const schedule = {
    id: 'nightly',
    spec: { cron: ['0 3 * * *'] },
    submit: { template: 'waits@1', labels: { of: 'nightly' } },
  }
  await devflow.run('schedules', 'apply', await file('nightly.json', JSON.stringify(schedule)))
  expect((await devflow.run('schedules', 'pause', 'nightly', '--reason', 'holidays')).stdout).toBe(
    'nightly  paused\n',
  )
  const paused = (await devflow.run('schedules', 'show', 'nightly')).stdout
  expect(paused).toMatch(/^# paused: holidays$/m)
  expect(parse(paused)).toEqual({ ...schedule, overlap: 'skip', catchUp: 'P1D' })
  expect((await devflow.run('schedules', 'resume', 'nightly', '--lang', 'ko')).stdout).toMatch(
    /^nightly {2}켜짐\n다음: \S+T03:00:00.000Z\n$/,
  )
  expect((await devflow.run('schedules', 'trigger', 'nightly')).stdout).toBe('nightly is due now.\n')
  const range = ['--from', '2026-01-01T00:00:00Z', '--to', '2026-01-02T23:00:00Z', '--overlap', 'allow_all']
  expect((await devflow.run('schedules', 'backfill', 'nightly', ...range)).stdout).toBe(
    '2 times lie in the range; 2 are due now.\n',
  )
  await vi.waitFor(
    async () =>
      expect(
        (await devflow.json<{ items: unknown[] }>('runs', 'list', '--label', 'of=nightly')).items,
      ).toHaveLength(3),
    { timeout: 10_000 },
  )
  expect((await devflow.run('schedules', 'list')).stdout).toMatch(
    /^nightly +waits@1 +on +\S+T03:00:00.000Z +\S+ submitted$/m,
  )
  expect(await devflow.run('schedules', 'trigger', 'nightly', '--overlap', 'never')).toMatchObject({
    code: 2,
  })
  await devflow.run('schedules', 'delete', 'nightly')
  expect(
    (await devflow.json<{ items: { id: string }[] }>('schedules', 'list')).items.map(({ id }) => id),
  ).not.toContain('nightly')
})

test('webhooks show a secret once, their deliveries, and try them anew', async () => {
  const yaml = await file(
    'hook.yaml',
    'id: hook\nurl: http://127.0.0.1:9/hook\nevents: [run.completed]\ntemplate: works@1\n',
  )
  expect((await devflow.run('webhooks', 'apply', yaml)).stdout).toMatch(
    /^\+ hook\nSecret, shown this once: whsec_\S+\n$/,
  )
  expect((await devflow.run('webhooks', 'apply', yaml)).stdout).toBe('~ hook\n')
  expect((await devflow.run('webhooks', 'secret', 'hook')).stdout).toMatch(/^Secret, shown this once: whsec_/)
  const { id } = await devflow.json<{ id: string }>('run', 'works@1', '--detach')
  await devflow.stack.untilStatus(id, 'completed')
  await devflow.stack.pool.query(
    "update devflow.webhook_deliveries set status = 'dead', error = 'refused', ended_at = now()",
  )
  expect((await devflow.run('webhooks', 'deliveries', 'hook', '--status', 'dead')).stdout).toMatch(
    new RegExp(`^msg_\\d+ +run\\.completed +${id} +given up +\\d+ +\\S+ +refused$`, 'm'),
  )
  expect((await devflow.run('webhooks', 'list')).stdout).toMatch(
    /^hook +http:\/\/127\.0\.0\.1:9\/hook +run\.completed +on +0 +1$/m,
  )
  expect((await devflow.run('webhooks', 'replay', 'hook')).stdout).toBe('1 delivery is tried anew.\n')
  expect((await devflow.run('webhooks', 'delete', 'hook')).stdout).toBe('hook is deleted.\n')
})
