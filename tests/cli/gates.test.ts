import { expect, test } from 'vitest'
import { eventOf, eventsOf } from '../support/run-log.ts'
import { useCommandStack } from './stack.ts'

const devflow = useCommandStack()

async function atGate(): Promise<string> {
  const { stdout } = await devflow.run('run', 'reviewed@1')
  const [, id = ''] = /^Submitted (\S+)/m.exec(stdout) ?? []
  expect(stdout).toContain(`ask for changes  devflow request-changes ${id} approve`)
  return id
}

test('changes are asked for, the run goes back and the follower tells it', async () => {
  const id = await atGate()
  const asked = await devflow.run('request-changes', id, '--comment', 'Longer.')
  expect([asked.code, asked.stdout]).toEqual([0, 'You have asked for changes at approve.\n'])
  await devflow.stack.untilEvent(id, 'gate.opened', 2)
  const shown = await devflow.run('runs', 'show', id, '--follow')
  expect(shown.code).toBe(3)
  expect(shown.stdout).toContain('asks for changes, the run goes back')
  expect(shown.stdout).toMatch(/approve · 0 of 1 · round 2 of at most 11/)
  expect((await devflow.run('gates')).stdout).toContain('0 of 1, round 2 of at most 11')
  const korean = await devflow.run('reject', id, '--lang', 'ko')
  expect(korean.stdout).toBe('approve 게이트를 거절했습니다.\n')
})

test('a decision is handed on, and then refused', async () => {
  const id = await atGate()
  const handed = await devflow.run('delegate', id, '--to', 'bob', '--comment', 'I am away.')
  expect([handed.code, handed.stdout]).toEqual([0, 'bob decides approve in your place.\n'])
  const { items } = await devflow.json<{ items: { delegations: unknown[] }[] }>('gates')
  expect(items.flatMap(({ delegations = [] }) => delegations)).toMatchObject([{ from: 'owner', to: 'bob' }])
  const refused = await devflow.run('approve', id)
  expect(refused.code).toBe(1)
  expect(refused.stderr).toContain('somebody else')
  await devflow.stack.decide(id, 'approve', { actor: 'bob' })
  const end = await devflow.stack.untilStatus(id, 'completed')
  expect(eventOf(end, 'gate.delegated').data).toMatchObject({
    from: 'owner',
    to: 'bob',
    comment: 'I am away.',
  })
  expect(eventsOf(end, 'gate.refused')).toHaveLength(1)
})
