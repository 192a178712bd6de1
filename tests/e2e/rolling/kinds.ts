// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is what expressions look like
import { eventsOf } from '../../support/run-log.ts'
import type { Stack } from '../../support/stack.ts'
import { agentTemplate, flowTemplate, gateTemplate } from '../../support/templates.ts'
import { HELD_MARK } from './held.ts'

const STREAMED = '[turns=3][chunks=12][chunkDelayMs=25]'
export const HELD = `${STREAMED}${HELD_MARK}`
const QUICK = '[turns=1][chunks=4]'

/** Turns take a while on a machine that changes builds. */
export const PATIENCE_MS = 90_000

/** A kind of run that a change of builds may meet. */
export interface Kind {
  template: string
  /** What its log holds so many of when it is in the middle of something; of its child's log where it has one. */
  underWay: [type: string, count: number]
  /** What people do, once the builds have changed. */
  then?: (stack: Stack, run: string) => Promise<unknown>
  /** Before that: what they did while there was one build. */
  before?: (stack: Stack, run: string) => Promise<unknown>
  /** What people do, they do to the run it starts. */
  hasChild?: true
}

const GATE = '{ id: ok, gate: { title: Go on? } }'
const approve = (stack: Stack, run: string) => stack.decide(run, 'ok')
const signalled = (stack: Stack, run: string) => stack.signal(run, 'go', 'once')
const agent = (id: string, prompt: string) =>
  `{ id: ${id}, agent: { role: worker, prompt: ${JSON.stringify(prompt)} } }`

/** A template of phases that agents behind the stand-in for OpenRouter play. */
const played = (...phases: string[]) => `
kind: template
id: played@1
roles: { worker: { persona: agent@1 } }
phases:
${phases.map((phase) => `  - ${phase}`).join('\n')}
`

export const KINDS: Record<string, Kind> = {
  'an agent in the middle of a turn': { template: agentTemplate(HELD), underWay: ['call.reserved', 2] },
  'a gate': { template: gateTemplate(), underWay: ['gate.opened', 1], then: approve },
  'a gate between agents': {
    template: played(agent('draft', QUICK), GATE, agent('final', STREAMED)),
    underWay: ['gate.opened', 1],
    then: approve,
  },
  'a time': {
    template: played('{ id: nap, wait: { for: PT4S } }', agent('work', QUICK)),
    underWay: ['wait.opened', 1],
  },
  'a signal': {
    template: played('{ id: rest, wait: { signal: go } }', agent('work', QUICK)),
    underWay: ['wait.opened', 1],
    then: signalled,
  },
  'a map': {
    template: played(
      `{ id: each, map: { over: [0, 1, 2], concurrency: 2, phases: [${agent('work', HELD)}] } }`,
    ),
    underWay: ['call.reserved', 4],
  },
  'branches side by side': {
    template: played(
      `{ id: all, parallel: { branches: [[${agent('work', HELD)}], [${GATE}], [{ id: rest, wait: { signal: go } }]] } }`,
    ),
    underWay: ['call.reserved', 2],
    then: async (stack, run) => {
      await approve(stack, run)
      await signalled(stack, run)
    },
  },
  'a cycle': {
    template: played(
      `{ id: loop, cycle: { max: 3, until: "\${{ iteration >= 1 }}", phases: [${agent('work', HELD)}, { id: nap, wait: { for: PT0.2S } }] } }`,
    ),
    underWay: ['call.reserved', 2],
  },
  'a run that it started': {
    template: `${flowTemplate('  - { id: sub, workflow: { template: played@1 } }')}---${played(agent('work', HELD), GATE)}`,
    underWay: ['call.reserved', 2],
    then: async (stack, run) => {
      await stack.untilEvent(run, 'gate.opened')
      await approve(stack, run)
    },
    hasChild: true,
  },
  'a pause': {
    template: played(GATE, agent('work', STREAMED)),
    before: async (stack, run) => {
      await stack.untilEvent(run, 'gate.opened')
      await stack.command(run, 'pause')
    },
    underWay: ['run.paused', 1],
    then: async (stack, run) => {
      await approve(stack, run)
      await stack.command(run, 'resume')
    },
  },
}

/** A run under way, and the one in which its people act: its child, or itself. */
export interface UnderWay {
  kind: Kind
  run: string
  inner: string
}

/** Submits a run of a kind, and brings it to the middle of what it does. */
export async function begin(stack: Stack, kind: Kind): Promise<UnderWay> {
  const run = await stack.submit(kind.template)
  let inner = run
  if (kind.hasChild) {
    inner = String(eventsOf(await stack.untilEvent(run, 'child.started'), 'child.started')[0]?.data.run)
    stack.runs.push(inner)
  }
  await kind.before?.(stack, inner)
  const [type, count] = kind.underWay
  await stack.until(
    inner,
    ({ types }) => types.filter((other) => other === type).length >= count,
    PATIENCE_MS,
  )
  return { kind, run, inner }
}
