import { rm } from 'node:fs/promises'
import { Report } from '@devflow/contracts'
import { readArtifact, readCalls, readGate } from '@devflow/db'
import { afterAll, describe, expect, test } from 'vitest'
import { smallRepository } from '../support/repository.ts'
import { eventOf, eventsOf, type Standing } from '../support/run-log.ts'
import { type Submission, useStack } from '../support/stack.ts'

const stack = useStack()
const repo = await smallRepository()
afterAll(() => rm(repo, { recursive: true, force: true }))

/** A persona that plays these turns. */
const player = (
  id: string,
  turns: object[],
  more: object = {},
): { id: string; [field: string]: unknown } => ({
  kind: 'persona',
  id,
  model: { provider: 'scripted', name: id, script: { turns } },
  tools: ['read_file', 'list_dir', 'write_file', 'request_subagent'],
  ...more,
})

const ask = (id: string, persona: string, task: string) => ({
  id,
  name: 'request_subagent',
  arguments: { persona, task },
})

/** The id of a run whose one agent is the first of these personas. */
async function submitted(personas: { id: string }[], submission: Submission = {}): Promise<string> {
  const template = {
    kind: 'template',
    id: 'asking@1',
    roles: Object.fromEntries(personas.map(({ id }) => [id.split('@')[0], { persona: id }])),
    phases: [{ id: 'work', agent: { role: personas[0]?.id.split('@')[0], prompt: 'Work.' } }],
  }
  const text = [template, ...personas].map((entry) => JSON.stringify(entry)).join('\n---\n')
  return await stack.submit(`${text}\n`, { workspace: { repo }, ...submission })
}

const play = async (...given: Parameters<typeof submitted>): Promise<Standing> =>
  await stack.untilStatus(await submitted(...given), 'completed', 'failed', 'canceled')

const answers = (run: Standing, phase = 'work') =>
  eventsOf(run, 'tool.completed')
    .filter((event) => event.phase === phase)
    .map(({ data }) => data.content)

test('an agent is asked for help: it sees its task alone, has its own turns, and its answer comes back', async () => {
  const run = await play([
    player('lead@1', [{ toolCalls: [ask('a', 'scout', 'Read the file README.md.')] }, { reply: 'Thanks.' }]),
    player('scout@1', [
      { toolCalls: [{ id: 'r', name: 'read_file', arguments: { path: 'README.md' } }] },
      { reply: 'It is about an adder.' },
    ]),
  ])
  expect(run.status).toBe('completed')
  expect(answers(run)).toEqual(['It is about an adder.'])
  expect(answers(run, 'work~1.1')[0]).toContain('# Adder')
  const { data, phase, turn } = eventOf(run, 'subagent.started')
  expect({ phase, turn }).toEqual({ phase: 'work', turn: 1 })
  expect(data).toMatchObject({ id: 'a', session: 'work~1.1/1', persona: 'scout@1' })
  expect(eventOf(run, 'subagent.completed').data).toMatchObject({ id: 'a', ok: true, turns: 2 })
  const [prompt] = eventsOf(run, 'turn.started').filter((event) => event.phase === 'work~1.1')
  expect(JSON.stringify(prompt?.data.messages)).toContain('Read the file README.md.')
  expect(JSON.stringify(prompt?.data.messages)).not.toContain('Work.')
  const calls = await readCalls(stack.pool, run.id, { limit: 10 })
  expect(calls.items.map((call) => `${call.phase} ${call.turn} ${call.persona}`)).toEqual([
    'work 1 lead@1',
    'work~1.1 1 scout@1',
    'work~1.1 2 scout@1',
    'work 2 lead@1',
  ])
  const written = await readArtifact(stack.pool, run.id, 'report.json')
  const report = Report.parse(JSON.parse(written?.content.toString('utf8') ?? ''))
  expect(report.phases[0]).toMatchObject({ id: 'work', persona: 'lead@1', turns: 4, toolCalls: 2 })
  expect(report.phases[0]?.models.map(({ persona, calls: made }) => [persona, made])).toEqual([
    ['lead@1', 2],
    ['scout@1', 2],
  ])
})

test('several asked in one turn work side by side, see the files, and change none', async () => {
  const writing = { id: 'w', name: 'write_file', arguments: { path: 'new.txt', content: 'x' } }
  const slow = { delayMs: 300 }
  const run = await play([
    player('lead@1', [
      { toolCalls: [ask('a', 'scout', 'One.'), ask('b', 'scout', 'Two.'), ask('c', 'scout', 'Three.')] },
      { reply: 'Thanks.' },
    ]),
    player('scout@1', [
      { toolCalls: [writing], ...slow },
      { reply: 'Done.', ...slow },
    ]),
  ])
  expect(run.status).toBe('completed')
  expect(answers(run)).toEqual(['Done.', 'Done.', 'Done.'])
  expect(
    eventsOf(run, 'tool.denied')
      .map(({ phase }) => phase)
      .sort(),
  ).toEqual(['work~1.1', 'work~1.2', 'work~1.3'])
  expect(eventsOf(run, 'workspace.snapshot')).toEqual([])
  // All had begun before the first was done.
  const begun = eventsOf(run, 'subagent.started').map(({ seq }) => seq)
  expect(Math.max(...begun)).toBeLessThan(
    Math.min(...eventsOf(run, 'subagent.completed').map(({ seq }) => seq)),
  )
})

test('one asked alone may change files, which the one that asked then sees', async () => {
  const run = await play([
    player('lead@1', [
      {
        toolCalls: [
          { id: 'w', name: 'write_file', arguments: { path: 'ours.txt', content: 'mine' } },
          ask('a', 'scout', 'Write theirs.txt.'),
          { id: 'r', name: 'list_dir', arguments: { path: '.' } },
        ],
      },
      { reply: 'Thanks.' },
    ]),
    player('scout@1', [
      { toolCalls: [{ id: 'w', name: 'write_file', arguments: { path: 'theirs.txt', content: 'theirs' } }] },
      { reply: 'Written.' },
    ]),
  ])
  expect(run.status).toBe('completed')
  expect(answers(run)[2]).toMatch(/ours\.txt[\s\S]*theirs\.txt/)
  expect(eventsOf(run, 'workspace.snapshot').map(({ phase, key }) => [phase, key])).toEqual([
    ['work', 'work/1/1/snapshot/w'],
    ['work', 'work~1.2/1/1/snapshot/w'],
  ])
})

test('who is asked may be named by role or by persona', async () => {
  const names = ['helper', 'helper@1']
  const run = await play([
    player('lead@1', [{ toolCalls: names.map((name) => ask(name, name, 'Look.')) }, { reply: 'Thanks.' }]),
    player('helper@1', [{ reply: 'Seen.' }]),
  ])
  expect(answers(run)).toEqual(['Seen.', 'Seen.'])
})

test('nobody gets tools that the one who asks has not, nor more depth, nor more help than is allowed', async () => {
  const run = await play([
    player(
      'lead@1',
      [
        {
          toolCalls: [
            ask('a', 'scout', 'Ask on.'),
            ask('b', 'nobody', 'x'),
            { id: 'x', name: 'request_subagent', arguments: 'no JSON' },
          ],
        },
        { toolCalls: [ask('c', 'scout', 'x')] },
        { reply: 'Thanks.' },
      ],
      { tools: ['request_subagent'], subagents: ['scout'], subagentLimits: { depth: 2, count: 2 } },
    ),
    player('scout@1', [
      {
        toolCalls: [
          { id: 'r', name: 'read_file', arguments: { path: 'README.md' } },
          ask('d', 'digger', 'Dig.'),
        ],
      },
      { reply: 'Asked.' },
    ]),
    player('digger@1', [{ toolCalls: [ask('e', 'scout', 'x')] }, { reply: 'Dug.' }]),
  ])
  expect(run.status).toBe('completed')
  expect(eventsOf(run, 'tool.denied').map(({ phase, data }) => [phase, data.name, data.code])).toEqual([
    ['work~1.1', 'read_file', undefined],
    ['work~1.1~1.2', 'request_subagent', 'subagent_depth_exceeded'],
    ['work', 'request_subagent', 'unknown_subagent'],
    ['work', 'request_subagent', 'subagent_limit_exceeded'],
  ])
  expect(answers(run, 'work~1.1')).toEqual(['Dug.'])
  expect(answers(run)).toEqual(['Asked.', expect.stringContaining('request_subagent takes')])
})

test('what an agent cannot do is told to the one that asked, and its run goes on', async () => {
  const looking = { toolCalls: [{ name: 'list_dir', arguments: { path: '.' } }] }
  const run = await play([
    player('lead@1', [
      { toolCalls: [ask('a', 'scout', 'x'), ask('b', 'turner', 'x')] },
      { reply: 'Then without.' },
    ]),
    player('scout@1', [
      { error: { kind: 'INVALID', code: 'provider_rejected_request', message: 'no such thing' } },
    ]),
    player('turner@1', [], {
      model: { provider: 'scripted', name: 'turner', maxTurns: 2, script: { turns: [looking] } },
    }),
  ])
  expect(run.status).toBe('completed')
  expect(
    eventsOf(run, 'tool.completed')
      .filter(({ phase }) => phase === 'work')
      .map(({ data }) => [data.ok, data.code]),
  ).toEqual([
    [false, 'provider_rejected_request'],
    [false, 'turn_limit'],
  ])
  expect(eventsOf(run, 'subagent.completed').map(({ data }) => data.ok)).toEqual([false, false])
})

test('an agent that is asked spends its share of what the run has left, and no more', async () => {
  const looking = {
    toolCalls: [{ name: 'list_dir', arguments: { path: '.' } }],
    usage: { outputTokens: 300 },
  }
  const run = await play(
    [
      player('lead@1', [{ toolCalls: [ask('a', 'scout', 'x')] }, { reply: 'Then without.' }], {
        subagentLimits: { budgetShare: 0.25 },
      }),
      player('scout@1', [], {
        model: { provider: 'scripted', name: 'scout', maxOutputTokens: 400, script: { turns: [looking] } },
      }),
    ],
    { budget: { limitTokens: 8_000 } },
  )
  expect(run.status).toBe('completed')
  const [result] = eventsOf(run, 'tool.completed').filter(({ phase }) => phase === 'work')
  expect(result?.data).toMatchObject({ ok: false, code: 'token_budget_exceeded' })
  const share = eventOf(run, 'subagent.started').data.share as { tokens: number }
  const { items } = await readCalls(stack.pool, run.id, { limit: 100 })
  const taken = items
    .filter(({ phase }) => phase === 'work~1.1')
    .reduce((sum, { inputTokens = 0, outputTokens = 0 }) => sum + inputTokens + outputTokens, 0)
  expect(share.tokens).toBeLessThanOrEqual(2_000)
  expect(taken).toBeLessThanOrEqual(share.tokens)
  expect(taken).toBeGreaterThan(share.tokens / 2)
})

describe('a budget that asks, reached by an agent that was asked', () => {
  const looking = (delayMs: number) => ({
    delayMs,
    toolCalls: [{ name: 'list_dir', arguments: { path: '.' } }],
  })

  /** Of those at work side by side one spends the whole budget: the next call of the first does not fit into it. */
  const overspent = async (...others: string[]): Promise<string> => {
    const asked = ['scout', 'spender', ...others].map((name) => ask(name, name, 'x'))
    const run = await submitted(
      [
        player('lead@1', [{ toolCalls: asked }, { reply: 'Thanks.' }], {
          subagentLimits: { budgetShare: 1 },
        }),
        // All have begun when the spender is done, and the others still look: who begins later has no share left.
        player('scout@1', [looking(4_000), looking(200), looking(200), { reply: 'Looked.' }]),
        player('spender@1', [{ reply: 'Spent.', delayMs: 1_500, usage: { outputTokens: 120_000 } }]),
        ...others.map((name) => player(`${name}@1`, [{ reply: 'Never.', delayMs: 600_000 }])),
      ],
      { budget: { limitTokens: 100_000, onExceeded: 'prompt' } },
    )
    await stack.untilEvent(run, 'gate.opened')
    return run
  }

  test('waits at its gate and goes on where it stood; what is paid for is not asked for again', async () => {
    const run = await overspent()
    await stack.untilStatus(run, 'waiting')
    expect(await readGate(stack.pool, run, 'budget')).toMatchObject({ phase: 'work', status: 'open' })
    await stack.stopWorker()
    expect(await stack.decide(run, 'budget')).toBe('accepted')
    await stack.startWorker()
    const end = await stack.untilStatus(run, 'completed', 'failed')
    expect(end.status).toBe('completed')
    expect(answers(end)).toEqual(['Looked.', 'Spent.'])
    expect(eventOf(end, 'budget.exceeded')).toMatchObject({ phase: 'work', data: { gate: 'budget' } })
    expect(eventOf(end, 'budget.raised').data).toMatchObject({ limitTokens: 200_000 })
    expect(eventsOf(end, 'subagent.started')).toHaveLength(2)
    const turns = Array.from({ length: 4 }, (_, index) => `work~1.1 ${index + 1}`)
    const all = ['work 1', 'work 2', ...turns, 'work~1.2 1']
    const { items } = await readCalls(stack.pool, run, { limit: 100 })
    const taken = eventsOf(end, 'turn.completed')
    for (const each of [items, taken])
      expect(each.map(({ phase, turn }) => `${phase} ${turn}`).sort()).toEqual(all)
  })

  test('fails with its phase when the gate is rejected, and who is in the middle of a call beside it is stopped', async () => {
    const run = await overspent('sleeper')
    expect(await stack.decide(run, 'budget', { decision: 'reject' })).toBe('accepted')
    const end = await stack.untilStatus(run, 'completed', 'failed')
    expect(end.status).toBe('failed')
    expect(end.error).toMatchObject({ code: 'token_budget_exceeded' })
    expect(end.error?.message).toContain('gate budget was rejected')
    // The one that asked is over with the phase: it is told nothing, and says nothing more.
    expect(answers(end)).toEqual([])
    expect(eventsOf(end, 'subagent.completed').map(({ data }) => data.id)).toEqual(['spender'])
  })
})

test('a pause waits for the turns under way of all who were asked; they go on where they stood', async () => {
  const run = await submitted([
    player('lead@1', [{ toolCalls: [ask('a', 'scout', 'x'), ask('b', 'scout', 'x')] }, { reply: 'Thanks.' }]),
    player('scout@1', [
      { delayMs: 400, toolCalls: [{ id: 'l', name: 'list_dir', arguments: { path: '.' } }] },
      { reply: 'Done.' },
    ]),
  ])
  await stack.untilEvent(run, 'subagent.started', 2)
  await stack.command(run, 'pause')
  await stack.untilEvent(run, 'run.paused')
  await stack.command(run, 'resume')
  const end = await stack.untilStatus(run, 'completed')
  expect(eventsOf(end, 'subagent.started')).toHaveLength(2)
  const turns = eventsOf(end, 'turn.completed').map(({ phase, turn }) => `${phase} ${turn}`)
  expect(turns.sort()).toEqual(['work 1', 'work 2', 'work~1.1 1', 'work~1.1 2', 'work~1.2 1', 'work~1.2 2'])
  expect(
    eventsOf(end, 'session.resumed')
      .map(({ phase }) => phase)
      .sort(),
  ).toEqual(['work', 'work~1.1', 'work~1.2'])
})

test('a cancel stops the one that asked and all who were asked', async () => {
  const run = await submitted([
    player('lead@1', [{ toolCalls: [ask('a', 'scout', 'x'), ask('b', 'scout', 'x')] }]),
    player('scout@1', [{ reply: 'Never.', delayMs: 60_000 }]),
  ])
  await stack.untilEvent(run, 'subagent.started', 2)
  await stack.command(run, 'cancel')
  const end = await stack.untilStatus(run, 'canceled')
  expect(eventsOf(end, 'turn.completed').map(({ phase }) => phase)).toEqual(['work'])
  expect(eventsOf(end, 'call.lost')).toHaveLength(2)
})
