import { describe, expect, test } from 'vitest'
import { BEGIN, type Course, type Limits, next, type Sight } from './course.ts'
import { type Observation, stateOf } from './state.ts'

describe('the state a look shows', () => {
  const patterns = { ready: /^> $/m, busy: /esc to interrupt/, waiting: /Do you want to/ }
  const seen = (more: Partial<Observation>): Observation => ({
    alive: true,
    screen: '',
    started: true,
    ...more,
  })

  test.each<[string, Observation, string]>([
    ['an empty screen, at first', seen({ started: false }), 'starting'],
    ['a banner, at first', seen({ started: false, screen: 'Welcome' }), 'starting'],
    ['a prompt that stands', seen({ started: false, screen: 'Welcome\n> ' }), 'ready'],
    ['work above a prompt', seen({ screen: 'Thinking… (esc to interrupt)\n> ' }), 'busy'],
    ['nothing we know', seen({ screen: 'Compiling' }), 'busy'],
    ['a question', seen({ screen: 'Do you want to proceed?\n> ' }), 'waiting'],
    ['a question while it works', seen({ screen: 'esc to interrupt\nDo you want to proceed?' }), 'waiting'],
    ['a question at the start', seen({ started: false, screen: 'Do you want to log in?' }), 'waiting'],
    ['a dead command, whatever it said', seen({ alive: false, screen: 'esc to interrupt\n> ' }), 'dead'],
  ])('%s', (_, observation, expected) => {
    expect(stateOf(observation, patterns)).toBe(expected)
  })

  test('without a pattern for questions none is seen', () => {
    const { ready, busy } = patterns
    expect(stateOf(seen({ screen: 'Do you want to proceed?' }), { ready, busy })).toBe('busy')
  })
})

describe('the course of a call', () => {
  const limits: Limits = {
    settleMs: 500,
    startMs: 60_000,
    submitMs: 3_000,
    stallMs: 600_000,
    limitMs: 3_600_000,
  }
  const at = (stage: Course['stage'], recoveries: Partial<Course['recoveries']> = {}): Course => ({
    stage,
    recoveries: { ...BEGIN.recoveries, ...recoveries },
  })
  const sight = (state: Sight['state'], more: Partial<Sight> = {}): Sight => ({
    state,
    answered: false,
    keys: undefined,
    quietMs: 1_000,
    stageMs: 1_000,
    totalMs: 10_000,
    ...more,
  })
  const look = { do: 'look' }
  const fail = (why: string) => ({ do: 'fail', why })

  test.each<[string, Course, Sight, Course, object]>([
    ['waits until it is ready', BEGIN, sight('starting'), BEGIN, look],
    ['gives the prompt once it is', BEGIN, sight('ready'), at('prompted'), { do: 'prompt' }],
    [
      'gives up on a start that takes too long',
      BEGIN,
      sight('starting', { stageMs: 60_001 }),
      BEGIN,
      fail('not_ready'),
    ],
    ['that ends before its prompt has failed', BEGIN, sight('dead', { answered: true }), BEGIN, fail('died')],
    ['sees work begin', at('prompted'), sight('busy'), at('working'), look],
    ['lets a prompt settle that is just being painted', BEGIN, sight('ready', { quietMs: 100 }), BEGIN, look],
    [
      'does not take a prompt for the end while the screen moves',
      at('working'),
      sight('ready', { answered: true, quietMs: 100 }),
      at('working'),
      look,
    ],
    ['gives the prompt some time', at('prompted'), sight('ready'), at('prompted'), look],
    [
      'sends a prompt again that lies there',
      at('prompted'),
      sight('ready', { stageMs: 3_001 }),
      at('prompted', { submitted: 1 }),
      { do: 'press', keys: ['Enter'] },
    ],
    [
      'gives up on who takes no prompt',
      at('prompted', { submitted: 3 }),
      sight('ready', { stageMs: 3_001 }),
      at('prompted', { submitted: 3 }),
      fail('deaf'),
    ],
    [
      'is done with an answer that came before work was seen',
      at('prompted'),
      sight('ready', { answered: true }),
      at('prompted'),
      { do: 'finish' },
    ],
    ['is not done while it works on', at('working'), sight('busy', { answered: true }), at('working'), look],
    [
      'is done when it is ready again',
      at('working'),
      sight('ready', { answered: true }),
      at('working'),
      { do: 'finish' },
    ],
    [
      'asks for an answer that is missing',
      at('working'),
      sight('ready'),
      at('prompted', { asked: 1 }),
      { do: 'ask' },
    ],
    [
      'asks for it once',
      at('working', { asked: 1 }),
      sight('ready'),
      at('working', { asked: 1 }),
      fail('no_answer'),
    ],
    [
      'answers a known question',
      at('working'),
      sight('waiting', { keys: ['1', 'Enter'] }),
      at('working', { answered: 1 }),
      { do: 'press', keys: ['1', 'Enter'] },
    ],
    [
      'answers one at the start',
      BEGIN,
      sight('waiting', { keys: ['Enter'] }),
      at('starting', { answered: 1 }),
      { do: 'press', keys: ['Enter'] },
    ],
    [
      'does not answer for ever',
      at('working', { answered: 5 }),
      sight('waiting', { keys: ['1'] }),
      at('working', { answered: 5 }),
      fail('waiting'),
    ],
    ['leaves an unknown question', at('working'), sight('waiting'), at('working'), fail('waiting')],
    ['that ends in the middle has failed', at('working'), sight('dead'), at('working'), fail('died')],
    [
      'that ends with its answer is done',
      at('working'),
      sight('dead', { answered: true }),
      at('working'),
      { do: 'finish' },
    ],
    [
      'that stands still has failed',
      at('working'),
      sight('busy', { quietMs: 600_001 }),
      at('working'),
      fail('stalled'),
    ],
    [
      'that takes too long has failed',
      at('working'),
      sight('busy', { totalMs: 3_600_001 }),
      at('working'),
      fail('too_long'),
    ],
  ])('%s', (_, course, seen, after, action) => {
    expect(next(course, seen, limits)).toEqual([after, action])
  })
})
