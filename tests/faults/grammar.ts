import fc from 'fast-check'
import type {
  AgentStep,
  Case,
  CaseInput,
  CycleStep,
  FunctionStep,
  GateStep,
  MapStep,
  ParallelStep,
  Reply,
  Rules,
  Said,
  WaitStep,
  WorkflowStep,
} from './case.ts'
import type { Choice, Drawn, DrawnStep } from './draft.ts'
import { storyOf, turnsIn } from './meaning.ts'
import { Ambiguous } from './running.ts'
import { settled } from './settle.ts'

// Templates at random. First a draft is drawn: kinds, nesting, what happens, and numbers where names will stand; then
// `settled` gives names. A draft shrinks well: with phases left out, its numbers mean what is left.

/** How deep phases hold others. */
const DEEPEST = 3

const few = fc.integer({ min: 0, max: 3 })
const pick: fc.Arbitrary<Choice> = fc.record({ at: fc.nat({ max: 30 }), than: few, isNot: fc.boolean() })
const maybe = <T>(arb: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arb, { nil: undefined, freq: 2 })
const seldom = <T>(arb: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: arb })

const rules = {
  name: fc.constant(''),
  when: seldom(pick),
  attempts: seldom(fc.integer({ min: 2, max: 3 })),
  continues: fc.oneof(
    { weight: 2, arbitrary: fc.constant(false) },
    { weight: 1, arbitrary: fc.constant(true) },
  ),
  undo: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
} satisfies { [rule in keyof Rules<Drawn>]: fc.Arbitrary<Rules<Drawn>[rule]> }

const reply: fc.Arbitrary<Reply> = fc.record({
  helpers: fc.oneof(
    { weight: 6, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 2 }) },
  ),
  tools: fc.integer({ min: 0, max: 2 }),
  hiccup: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  end: fc.oneof(
    { weight: 6, arbitrary: fc.constant('well' as const) },
    { weight: 2, arbitrary: fc.constantFrom('repaired', 'broken', 'down', 'refused') },
  ),
  n: few,
})

const agent: fc.Arbitrary<AgentStep<Drawn>> = fc.record({
  kind: fc.constant('agent'),
  ...rules,
  see: maybe(pick),
  inputs: fc.array(fc.nat({ max: 10 }), { maxLength: 2 }),
  makes: fc.boolean(),
  replies: fc.array(reply, { minLength: 1, maxLength: 3 }),
  hangs: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
})

const call: fc.Arbitrary<FunctionStep<Drawn>> = fc.record({
  kind: fc.constant('function'),
  ...rules,
  see: maybe(pick),
  effects: fc.constantFrom('none', 'external'),
  answers: fc.array(
    fc.oneof(
      { weight: 4, arbitrary: fc.constant('well' as const) },
      { weight: 1, arbitrary: fc.constantFrom('throws', 'wrong') },
    ),
    { minLength: 1, maxLength: 3 },
  ),
})

const said: fc.Arbitrary<Said> = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('approve', 'reject', 'changes') },
  { weight: 1, arbitrary: fc.constant('cancel') },
)

const back: fc.Arbitrary<GateStep<Drawn>['back']> = fc.record({
  to: fc.nat({ max: 10 }),
  by: fc.constantFrom('changes', 'reject'),
  most: fc.integer({ min: 1, max: 2 }),
})

const gate: fc.Arbitrary<GateStep<Drawn>> = fc.record({
  kind: fc.constant('gate'),
  ...rules,
  see: seldom(pick),
  quorum: fc.integer({ min: 1, max: 2 }),
  onReject: fc.constantFrom('fail', 'end'),
  back: maybe(back),
  closes: fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        decisions: fc.array(said, { minLength: 1, maxLength: 3 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ deadline: fc.constantFrom('approve', 'reject', 'fail') }) },
    { weight: 1, arbitrary: fc.constant('timeout') },
  ),
})

/** An agent's work and a gate that may send it back: drawn one by one, they seldom meet. */
const reviewed: fc.Arbitrary<DrawnStep[]> = fc.tuple(
  agent,
  fc.tuple(gate, back).map(([drawn, way]) => ({ ...drawn, back: way })),
)

const wait: fc.Arbitrary<WaitStep<Drawn>> = fc.record({
  kind: fc.constant('wait'),
  ...rules,
  for: fc.oneof(
    fc.constantFrom('moment', 'past', 'timeout'),
    fc.record({ by: fc.constantFrom('signal', 'event'), n: few, early: fc.boolean() }),
  ),
})

/** One phase, with others inside it down to some depth; children are runs of their own, and have none. */
function step(depth: number, children: number): fc.Arbitrary<DrawnStep> {
  const simple = [
    { weight: 5, arbitrary: agent },
    { weight: 2, arbitrary: call },
    { weight: 2, arbitrary: gate },
    { weight: 2, arbitrary: wait },
    ...(children > 0 ? [{ weight: 1, arbitrary: workflow(children) }] : []),
  ]
  if (depth === 0) return fc.oneof(...simple)
  const inside = list(depth - 1, children)
  return fc.oneof(
    ...simple,
    { weight: 2, arbitrary: parallel(inside) },
    { weight: 2, arbitrary: map(inside) },
    { weight: 2, arbitrary: cycle(inside) },
  )
}

/** As long as another; shrinking makes it short. */
const list = (depth: number, children: number): fc.Arbitrary<DrawnStep[]> =>
  fc
    .array(
      fc.oneof(
        { weight: 9, arbitrary: step(depth, children).map((one) => [one]) },
        { weight: 1, arbitrary: reviewed },
      ),
      { minLength: 1, maxLength: depth === DEEPEST ? 4 : 2, size: 'max' },
    )
    .map((steps) => steps.flat())

const workflow = (children: number): fc.Arbitrary<WorkflowStep<Drawn>> =>
  fc.record({
    kind: fc.constant('workflow'),
    ...rules,
    child: fc.nat({ max: children - 1 }),
    n: pick,
    x: maybe(pick),
  })

const parallel = (inside: fc.Arbitrary<DrawnStep[]>): fc.Arbitrary<ParallelStep<Drawn>> =>
  fc.record({
    kind: fc.constant('parallel'),
    ...rules,
    branches: fc.array(inside, { minLength: 1, maxLength: 3 }),
    passesOver: fc.boolean(),
  })

const map = (inside: fc.Arbitrary<DrawnStep[]>): fc.Arbitrary<MapStep<Drawn>> =>
  fc.record({
    kind: fc.constant('map'),
    ...rules,
    over: fc.oneof<[fc.Arbitrary<number[]>, fc.Arbitrary<Choice>]>(fc.array(few, { maxLength: 4 }), pick),
    as: seldom(fc.constant('thing')),
    concurrency: fc.integer({ min: 1, max: 3 }),
    steps: inside,
  })

const cycle = (inside: fc.Arbitrary<DrawnStep[]>): fc.Arbitrary<CycleStep<Drawn>> =>
  fc.record({
    kind: fc.constant('cycle'),
    ...rules,
    until: maybe(pick),
    max: fc.integer({ min: 1, max: 3 }),
    steps: inside,
  })

/** Most turns of a case: what it costs in time. */
const MOST_TURNS = 30

const input: fc.Arbitrary<CaseInput> = fc.record({
  n: few,
  word: fc.constantFrom('tea', 'completed', '1'),
  list: fc.array(few, { maxLength: 3 }),
})

/** Cases whose end can be told, each under a name of its own in this process. */
export const cases: fc.Arbitrary<Case> = fc
  .record({
    top: list(DEEPEST, 1),
    child: list(1, 0),
    input,
    hasWorkspace: fc.oneof(
      { weight: 3, arbitrary: fc.constant(false) },
      { weight: 1, arbitrary: fc.constant(true) },
    ),
    budget: seldom(
      fc.record({
        tokens: fc.integer({ min: 500, max: 2_000 }),
        refusedAt: maybe(fc.integer({ min: 1, max: 4 })),
      }),
    ),
    sequel: fc.record({
      retries: fc.nat({ max: 2 }),
      fork: seldom(fc.record({ from: fc.nat({ max: 3 }), input })),
    }),
  })
  .map(settled)
  .filter(isCertain)

function isCertain(found: Case): boolean {
  try {
    return turnsIn(storyOf(found)) <= MOST_TURNS
  } catch (error) {
    if (error instanceof Ambiguous) return false
    throw error
  }
}
