import { describe, expect, test } from 'vitest'
import { eventsOf } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'
import { completing, failing, NOTE, scriptedTemplate } from '../support/templates.ts'

const stack = useStack()
const done = { reply: 'Done.' }
const attempts = (...turns: object[]) => ({ phases: { work: { attempts: turns.map((turn) => [turn]) } } })

describe.concurrent('a phase with `retry`', () => {
  test('is tried again after its back-off, which doubles, as further attempts', async () => {
    const end = await stack.finish(
      scriptedTemplate(attempts(failing, failing, done), {
        phase: 'retry: { maxAttempts: 3, backoff: PT0.2S }',
      }),
    )
    expect(end.status).toBe('completed')
    expect(end.phases.work?.attempt).toBe(3)
    expect(eventsOf(end, 'phase.retried').map(({ data }) => data.after)).toEqual(['PT0.2S', 'PT0.4S'])
    const failed = eventsOf(end, 'phase.failed').map(({ at }) => at.getTime())
    const started = eventsOf(end, 'phase.started').map(({ at }) => at.getTime())
    expect((started[1] ?? 0) - (failed[0] ?? 0)).toBeGreaterThanOrEqual(200)
    expect((started[2] ?? 0) - (failed[1] ?? 0)).toBeGreaterThanOrEqual(400)
  })

  test('fails with its last error when the attempts are used up', async () => {
    const end = await stack.finish(
      scriptedTemplate(attempts(failing), { phase: 'retry: { maxAttempts: 2, backoff: PT0.01S }' }),
    )
    expect(end.status).toBe('failed')
    expect(end.error).toMatchObject({ kind: 'UNAVAILABLE', code: 'overloaded' })
    expect(eventsOf(end, 'phase.failed').map(({ attempt }) => attempt)).toEqual([1, 2])
  })

  test('is tried again for an artifact that does not fit: the model may do better', async () => {
    const end = await stack.finish(
      scriptedTemplate(
        { turns: [completing({ no: 'note' })] },
        { produces: true, phase: 'retry: { maxAttempts: 3, backoff: PT0.01S }' },
      ),
    )
    expect(end.error).toMatchObject({ code: 'artifact_invalid' })
    expect(eventsOf(end, 'phase.failed')).toHaveLength(3)
  })

  test('is not tried again for an error that stays', async () => {
    const error = { code: 'bad_request', message: 'No.', kind: 'INVALID', retryable: false }
    const end = await stack.finish(
      scriptedTemplate({ turns: [{ error }] }, { phase: 'retry: { maxAttempts: 3, backoff: PT0.01S }' }),
    )
    expect(end.error).toMatchObject({ code: 'bad_request' })
    expect(eventsOf(end, 'phase.failed')).toHaveLength(1)
  })
})

describe.concurrent('a failed run', () => {
  const text = `
kind: template
id: two-phases@1
roles: { worker: { persona: player@1 } }
artifacts: { note: { schema: note@1 } }
phases:
  - { id: before, agent: { role: worker, prompt: Write., produces: note } }
  - { id: work, agent: { role: worker, prompt: Work. }, retry: { maxAttempts: 2, backoff: PT0.01S } }
---
${JSON.stringify({
  kind: 'persona',
  id: 'player@1',
  model: {
    provider: 'scripted',
    name: 'p',
    script: {
      phases: { before: [completing(NOTE)], work: { attempts: [[failing], [failing], [failing], [done]] } },
    },
  },
  tools: ['complete'],
})}
`

  test('that is retried goes on at its failed phase as a new attempt, and keeps what was done', async () => {
    const run = await stack.submit(text)
    const failed = await stack.untilStatus(run, 'failed')
    expect(failed.phases.work?.attempt).toBe(2)

    expect(await stack.command(run, 'retry', 'The provider is back.')).toBe('done')
    const end = await stack.untilStatus(run, 'completed')
    expect(end.attempt).toBe(2)
    // The round has attempts of its own: the first fails too, the second succeeds.
    expect(end.phases.work?.attempt).toBe(4)
    expect(end.phases.before?.attempt).toBe(1)
    expect(eventsOf(end, 'artifact.accepted')).toHaveLength(1)
    expect(eventsOf(end, 'run.started')).toHaveLength(2)
    expect(eventsOf(end, 'report.written')).toHaveLength(2)
    expect(end.error).toBeNull()
  })

  test('is not retried twice at once, nor when it has completed', async () => {
    const run = await stack.submit(text)
    await stack.untilStatus(run, 'failed')
    const answers = await Promise.all([stack.command(run, 'retry'), stack.command(run, 'retry')])
    expect(answers.sort()).toEqual(['done', 'not_failed'])
    await stack.untilStatus(run, 'completed')
    expect(await stack.command(run, 'retry')).toBe('not_failed')
  })
})

test('a retry in the very moment of the failure is not lost, ten times of ten', async () => {
  for (let round = 0; round < 10; round += 1) {
    const run = await stack.submit(scriptedTemplate(attempts(failing, done)))
    const failed = await stack.untilEvent(run, 'run.failed')
    const at = failed.events.at(-1)?.at ?? new Date(0)
    expect(await stack.command(run, 'retry')).toBe('done')
    const end = await stack.untilStatus(run, 'completed')
    const [retried] = eventsOf(end, 'run.retried')
    // Close behind the end, while its workflow is still on its way out.
    expect((retried?.at.getTime() ?? 0) - at.getTime()).toBeLessThan(1_000)
  }
})
