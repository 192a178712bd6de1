import { rm } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { smallRepository } from '../support/repository.ts'
import { eventOf, eventsOf } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'

const stack = useStack()
let repo = ''
beforeAll(async () => {
  repo = await smallRepository()
})
afterAll(() => rm(repo, { recursive: true, force: true }))

const OFFLINE = {
  'spec-writer': 'offline-spec-writer@1',
  reviewer: 'offline-code-reviewer@1',
  verifier: 'offline-verifier@1',
}

test('without a key, a spec is written, reviewed, approved by a person and verified', async () => {
  const run = await stack.submit('spec-and-review@1', {
    input: { request: 'Check the arguments of add.' },
    bindings: OFFLINE,
    workspace: { repo, base: 'main' },
  })
  const waiting = await stack.untilStatus(run, 'waiting')
  expect(eventOf(waiting, 'gate.opened').data.subject).toHaveLength(2)
  expect(waiting.phases.verify?.status).toBe('pending')

  expect(await stack.decide(run, 'approve', { comment: 'Go on.' })).toBe('accepted')
  const end = await stack.untilStatus(run, 'completed')

  expect(Object.values(end.phases).map(({ status }) => status)).toEqual(Array(4).fill('completed'))
  expect(eventsOf(end, 'artifact.accepted').map(({ data }) => data.name)).toEqual([
    'spec',
    'findings',
    'verdict',
  ])
  expect(end.output).toMatchObject({ verdict: expect.any(String) })
  const reports = eventOf(end, 'report.written').data.artifacts as { name: string }[]
  expect(reports.map(({ name }) => name)).toEqual(['report.json', 'report.md'])
  expect(end.types.at(-1)).toBe('run.completed')
})
