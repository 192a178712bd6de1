// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is what expressions look like
import { randomUUIDv7 } from 'node:crypto'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { forkRun, readSubmission } from '@devflow/db'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sagaTemplate } from '../support/functions.ts'
import { smallRepository } from '../support/repository.ts'
import { eventsOf, statusesOf } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'
import { flowTemplate } from '../support/templates.ts'

const write = (path: string, content: string) => ({
  toolCalls: [{ name: 'write_file', arguments: { path, content } }],
})
const list = { toolCalls: [{ name: 'list_dir', arguments: { path: '.' } }] }
const done = { reply: 'Done.' }

const stack = useStack()
const repo = await smallRepository()
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'devflow-fork-back-'))
})
afterAll(async () => {
  for (const path of [folder, repo]) await rm(path, { recursive: true, force: true })
})

describe('what a run has gone back on', () => {
  /** Forks as the API does. */
  const forkOf = async (source: string, fromPhase: string): Promise<string> => {
    const run = randomUUIDv7()
    const submission = await readSubmission(stack.pool, 'default', source)
    if (!submission) throw new Error('the run was not submitted')
    expect(await forkRun(stack.pool, { source, fromPhase, run, ...submission })).toMatchObject({
      answer: 'done',
    })
    stack.runs.push(run)
    return run
  }
  /** The phase that stands in the way of a fork. */
  const obstacleTo = async (source: string, fromPhase: string): Promise<unknown> => {
    const submission = await readSubmission(stack.pool, 'default', source)
    if (!submission) throw new Error('the run was not submitted')
    return await forkRun(stack.pool, { source, fromPhase, run: randomUUIDv7(), ...submission })
  }
  const linesOf = async (file: string) =>
    (await readFile(file, 'utf8'))
      .split('\n')
      .flatMap((line) => (line === '' ? [] : [line.replace(/ [^ ]+$/, '')]))
  const steps = [{ id: 'look', phase: { compensate: undefined } }, { id: 'pay' }]

  test('and undone is done again by a fork, with all that follows, wherever that was to begin', async () => {
    const file = join(folder, 'undone')
    await writeFile(file, '')
    await chmod(file, 0o666)
    const bad = {
      id: 'bad',
      map: { over: '${{ run.labels }}', phases: [{ id: 'x', wait: { for: 'PT1S' } }] },
    }
    const source = await stack.finish(sagaTemplate(file, steps, [bad]))
    expect(statusesOf(source)).toMatchObject({ look: 'completed', pay: 'compensated' })
    const end = await stack.untilStatus(await forkOf(source.id, 'bad'), 'failed')
    expect(end.events[0]?.data).toMatchObject({ forkedFrom: source.id, fromPhase: 'pay' })
    expect(await linesOf(file)).toEqual(['do look', 'do pay', 'undo do pay', 'do pay', 'undo do pay'])
  })

  test('is no place to go on behind: what failed for good, or ended the run', async () => {
    const nap = { id: 'nap', wait: { for: 'PT0.01S' } }
    const bad = {
      id: 'bad',
      map: { over: '${{ run.labels }}', phases: [{ id: 'x', wait: { for: 'PT1S' } }] },
    }
    const failed = await stack.finish(flowTemplate(`  ${JSON.stringify([bad, nap])}`))
    expect(await obstacleTo(failed.id, 'nap')).toEqual({ answer: 'not_reached', phase: 'bad' })

    const both = {
      id: 'both',
      parallel: { branches: [[{ id: 'ok', gate: { title: 'Go on?', onReject: 'end' } }]] },
    }
    const ended = await stack.submit(flowTemplate(`  ${JSON.stringify([both, nap])}`))
    await stack.untilEvent(ended, 'gate.opened')
    await stack.decide(ended, 'ok', { decision: 'reject' })
    await stack.untilStatus(ended, 'completed')
    expect(await obstacleTo(ended, 'nap')).toEqual({ answer: 'not_reached', phase: 'both' })
  })

  test('stays its own: a fork that is canceled undoes nothing that it took over', async () => {
    const file = join(folder, 'relied-on')
    await writeFile(file, '')
    await chmod(file, 0o666)
    const source = await stack.submit(sagaTemplate(file, steps, [{ id: 'hang', wait: { for: 'PT1H' } }]))
    await stack.until(source, ({ phases }) => phases.hang?.status === 'waiting')
    const fork = await forkOf(source, 'hang')
    await stack.wake(fork)
    await stack.until(fork, ({ phases }) => phases.hang?.status === 'waiting')
    for (const run of [fork, source]) {
      await stack.command(run, 'cancel')
      await stack.untilStatus(run, 'canceled')
    }
    expect(await linesOf(file)).toEqual(['do look', 'do pay', 'undo do pay'])
    expect(statusesOf(await stack.standing(fork))).toMatchObject({ pay: 'completed' })
  })

  test('and sent back at a gate: files that a phase built upon come along, though they are of a later one', async () => {
    const attempts = (...each: object[][]) => ({ attempts: each })
    const persona = JSON.stringify({
      kind: 'persona',
      id: 'backer@1',
      model: {
        provider: 'scripted',
        name: 'back',
        script: {
          phases: {
            one: attempts([write('one.txt', '1'), done], [write('again.txt', '2'), done]),
            two: attempts([list, write('two.txt', '1'), done], [done]),
          },
        },
      },
      tools: ['list_dir', 'write_file'],
    })
    const source = await stack.submit(
      `
kind: template
id: back@1
roles: { worker: { persona: backer@1 } }
phases:
  - { id: one, agent: { role: worker, prompt: Work. } }
  - { id: two, agent: { role: worker, prompt: Work. } }
  - { id: ok, gate: { title: Go on?, allowChanges: one } }
---
${persona}
`,
      { workspace: { repo } },
    )
    await stack.untilEvent(source, 'gate.opened')
    await stack.decide(source, 'ok', { decision: 'request_changes', comment: 'Once more.' })
    await stack.untilEvent(source, 'gate.opened', 2)
    const fork = await forkOf(source, 'two')
    await stack.wake(fork)
    const asked = await stack.untilEvent(fork, 'gate.opened')
    expect(
      eventsOf(asked, 'workspace.snapshot').map(({ phase, attempt }) => [phase, attempt]),
    ).toContainEqual(['one', 0])
    const seen = eventsOf(asked, 'tool.completed').find(
      ({ phase, data }) => phase === 'two' && data.name === 'list_dir',
    )
    expect(String(seen?.data.content)).toMatch(/again\.txt[\s\S]*one\.txt[\s\S]*two\.txt/)
    for (const run of [fork, source]) {
      await stack.command(run, 'cancel')
      await stack.untilStatus(run, 'canceled')
    }
  })
})
