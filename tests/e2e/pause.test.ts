import { readProgress, restPausedRun } from '@devflow/db'
import { describe, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { eventOf, eventsOf } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'
import { agentTemplate, gateTemplate } from '../support/templates.ts'

const stack = useStack()

const requestsOf = (run: string) => stack.fake.requests.filter(({ session }) => session.startsWith(run))

/** The run's first request is answered, and not to its end. */
const streaming = (run: string) =>
  eventually(
    async () => requestsOf(run)[0]?.producedTokens ?? 0,
    (tokens) => tokens > 0,
  )

describe.concurrent('a pause', () => {
  test('in the middle of a phase lets the turn under way finish, and starts nothing more until it is over', async () => {
    const run = await stack.submit(agentTemplate('[turns=3][chunks=20][chunkDelayMs=20]'))
    await streaming(run)
    expect(await stack.command(run, 'pause')).toBe('done')
    expect((await stack.standing(run)).status).toBe('paused')

    const paused = await stack.untilEvent(run, 'run.paused')
    expect(eventsOf(paused, 'turn.completed')).toHaveLength(1)
    expect(eventsOf(paused, 'turn.failed')).toHaveLength(0)
    expect(requestsOf(run)).toHaveLength(1)
    // A wake on the way must not start anything either: its workflow has looked when it answers.
    await stack.wake(run)
    await stack.workflow(run).query('state')
    expect(requestsOf(run)).toHaveLength(1)

    expect(await stack.command(run, 'resume')).toBe('done')
    const end = await stack.untilStatus(run, 'completed')
    expect(requestsOf(run)).toHaveLength(4)
    expect(end.phases.work?.attempt).toBe(1)
    expect(eventsOf(end, 'phase.started')).toHaveLength(1)
  })

  test('that is over by the time nothing runs any more does not begin anew', async () => {
    const run = await stack.submit(gateTemplate())
    await stack.untilEvent(run, 'gate.opened')
    await stack.command(run, 'pause')
    const paused = await stack.untilEvent(run, 'run.paused')
    await stack.command(run, 'resume')
    const late = await readProgress(stack.pool, run)
    // What a look at the log from before would say now.
    const stale = { run, epoch: late?.executionEpoch ?? 0, commands: (late?.commands ?? 0) - 1 }
    expect(await restPausedRun(stack.pool, stale)).toBe(false)
    const going = await stack.standing(run)
    expect(going.status).not.toBe('paused')
    expect(eventsOf(going, 'run.paused')).toHaveLength(eventsOf(paused, 'run.paused').length)
    await stack.decide(run, 'ok')
    await stack.untilStatus(run, 'completed')
  })

  test('at a gate accepts a decision, which takes effect when it is over', async () => {
    const run = await stack.submit(`${gateTemplate()}  - { id: nap, wait: { for: PT0.01S } }\n`)
    await stack.untilEvent(run, 'gate.opened')
    await stack.command(run, 'pause')
    expect(await stack.decide(run, 'ok')).toBe('accepted')
    const paused = await stack.untilEvent(run, 'run.paused')
    expect(paused.phases.ok?.status).toBe('completed')
    expect(paused.phases.nap?.status).toBe('pending')
    await stack.command(run, 'resume')
    await stack.untilStatus(run, 'completed')
  })

  test.for(['approve', 'reject'] as const)(
    'at the last gate holds the end back too: %s',
    async (decision) => {
      const run = await stack.submit(gateTemplate())
      await stack.untilEvent(run, 'gate.opened')
      await stack.command(run, 'pause')
      await stack.decide(run, 'ok', { decision })
      const paused = await stack.untilEvent(run, 'run.paused')
      expect(paused.status).toBe('paused')
      await stack.command(run, 'resume')
      await stack.untilStatus(run, decision === 'approve' ? 'completed' : 'failed')
    },
  )

  test('does not stop deadlines', async () => {
    const run = await stack.submit(
      `${gateTemplate('deadline: PT0.7S, onDeadline: { then: approve }')}  - { id: nap, wait: { for: PT0.01S } }\n`,
    )
    await stack.untilEvent(run, 'gate.opened')
    await stack.command(run, 'pause')
    const closed = await stack.untilEvent(run, 'gate.closed')
    expect(eventOf(closed, 'gate.closed').data).toMatchObject({ status: 'approved', by: 'deadline' })
    expect(closed.status).toBe('paused')
    await stack.command(run, 'resume')
    await stack.untilStatus(run, 'completed')
  })

  test('of a run that has not begun holds it from its first step', async () => {
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        const run = await stack.submit(agentTemplate('[turns=0]'))
        const answer = await stack.command(run, 'pause')
        expect(['done', 'over']).toContain(answer)
        await stack.until(run, ({ status, types }) => status === 'completed' || types.includes('run.paused'))
        await stack.command(run, 'resume')
        await stack.untilStatus(run, 'completed')
        expect(requestsOf(run)).toHaveLength(1)
      }),
    )
  })

  test('repeated changes nothing, and comes too late after the end', async () => {
    const run = await stack.submit(gateTemplate())
    await stack.untilEvent(run, 'gate.opened')
    expect(await stack.command(run, 'resume')).toBe('unchanged')
    expect(await stack.command(run, 'pause')).toBe('done')
    expect(await stack.command(run, 'pause')).toBe('unchanged')
    expect(await stack.command(run, 'resume')).toBe('done')
    expect(await stack.command(run, 'pause')).toBe('done')
    await stack.untilEvent(run, 'run.paused')
    expect(await stack.command(run, 'resume')).toBe('done')
    await stack.decide(run, 'ok')
    const end = await stack.untilStatus(run, 'completed')
    expect(eventsOf(end, 'run.pausing')).toHaveLength(2)
    expect(await stack.command(run, 'pause')).toBe('over')
  })
})
