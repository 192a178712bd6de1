import {
  allSteps,
  artifactOf,
  asksForHelp,
  type Case,
  type CaseInput,
  type Expression,
  type GateStep,
  listsOf,
  type Step,
  sentOver,
} from './case.ts'
import type { Choice, Drawn, DrawnStep } from './draft.ts'
import { storyOf } from './meaning.ts'
import { Ambiguous } from './running.ts'

interface Draft {
  top: DrawnStep[]
  child: DrawnStep[]
  input: CaseInput
  hasWorkspace: boolean
  budget: Case['budget']
  sequel: { retries: number; fork: { from: number; input: CaseInput } | undefined }
}

type Source = { get: (string | number)[]; type: 'int' | 'text' | 'list' | 'json' }

/** What can be named in a place, and the artifacts among it. */
interface Sight {
  sources: Source[]
  artifacts: string[]
}

let count = 0

/** A draft with its names: a case that is like no other in this process. */
export function settled({ top, child, input, hasWorkspace, budget, sequel }: Draft): Case {
  count += 1
  const name = `c${count}`
  const names = nameGiver()
  const steps = settleList(top, sightOf(INPUT), names).steps
  const usesChild = allSteps(steps).some(({ kind }) => kind === 'workflow')
  const childSteps = usesChild ? settleList(child, sightOf(CHILD_INPUT), names).steps : []
  const isRefused = budget?.refusedAt !== undefined
  const found: Case = {
    name,
    template: { id: `faults:${name}@1`, steps, tells: [] },
    children: usesChild ? [{ id: `faults:${name}-child@1`, steps: childSteps, tells: [] }] : [],
    input,
    hasWorkspace,
    // Who is asked for help under one may come to something else.
    budget: isRefused || !allSteps([...steps, ...childSteps]).some(asksForHelp) ? budget : undefined,
    sequel: { retries: 0, fork: undefined },
  }
  for (const template of [...found.children, found.template])
    template.tells = template.steps.map((step) => step.name).filter((told) => canTell(found, template, told))
  if (isRefused) return found
  const { retries, fork } = sequel
  const from = fork && steps[fork.from % steps.length]?.name
  const sequels: Case['sequel'][] = [
    { retries, fork: fork && from !== undefined ? { from, input: fork.input } : undefined },
    { retries, fork: undefined },
  ]
  return sequels.map((each) => ({ ...found, sequel: each })).find((each) => isClear(each)) ?? found
}

/** Whether all of it can be told: not where something depends on which of two was first. */
function isClear(found: Case): boolean {
  try {
    storyOf(found)
    return true
  } catch (error) {
    if (error instanceof Ambiguous) return false
    throw error
  }
}

/** Whether the run's output may hold a phase's. */
function canTell(found: Case, template: Case['template'], name: string): boolean {
  const tells = [...template.tells, name]
  const replace = (each: Case['template']) => (each === template ? { ...template, tells } : each)
  return isClear({ ...found, template: replace(found.template), children: found.children.map(replace) })
}

const INPUT: Source[] = [
  { get: ['input', 'n'], type: 'int' },
  { get: ['input', 'word'], type: 'text' },
  { get: ['input', 'list'], type: 'list' },
]
const CHILD_INPUT: Source[] = [
  { get: ['input', 'n'], type: 'int' },
  { get: ['input', 'x'], type: 'json' },
]

const sightOf = (sources: Source[]): Sight => ({ sources, artifacts: [] })

function nameGiver(): () => string {
  let given = 0
  return () => {
    given += 1
    return `p${given}`
  }
}

/** Names a list of phases; and what can be named after it by those around it. */
function settleList(
  drafts: readonly DrawnStep[],
  before: Sight,
  names: () => string,
): { steps: Step[]; after: Sight } {
  const steps: Step[] = []
  let sight = before
  for (const draft of drafts) {
    const { step, after } = settleStep(draft, sight, names, steps)
    steps.push(step)
    // Only the last round of it would be undone: such a template is refused.
    for (const over of sentOver(steps, step)) over.undo = false
    sight = after
  }
  return { steps, after: sight }
}

function settleStep(
  draft: DrawnStep,
  sight: Sight,
  names: () => string,
  earlier: readonly Step[],
): { step: Step; after: Sight } {
  const name = names()
  const rules = { ...draft, name, when: draft.when && condition(draft.when, sight) }
  const done = (step: Step, seen: Sight = sight) => ({ step, after: added(seen, step) })
  switch (draft.kind) {
    case 'agent': {
      const known = sight.artifacts
      const inputs = known.length === 0 ? [] : draft.inputs.map((at) => known[at % known.length] as string)
      return done({
        ...rules,
        ...draft,
        ...pickRules(rules),
        inputs: [...new Set(inputs)],
        see: value(draft.see, sight),
      })
    }
    case 'gate':
      return done({
        ...draft,
        ...pickRules(rules),
        see: value(draft.see, sight),
        ...settleGate(draft, earlier),
      })
    case 'function':
      return done({ ...draft, ...pickRules(rules), see: value(draft.see, sight) })
    case 'wait':
      return done({ ...draft, ...pickRules(rules) })
    case 'workflow':
      return done({
        ...draft,
        ...pickRules(rules),
        n: ofType(draft.n, sight, 'int'),
        x: value(draft.x, sight),
      })
    case 'parallel': {
      const branches = draft.branches.map((branch) => settleList(branch, sight, names))
      const seen = branches.reduce((all, { after }) => union(all, after), sight)
      return done({ ...draft, ...pickRules(rules), branches: branches.map(({ steps }) => steps) }, seen)
    }
    case 'map': {
      const over = Array.isArray(draft.over) ? draft.over : ofType(draft.over, sight, 'list')
      // What phases came to is known to be no number as often as not.
      const isMade = 'get' in over && over.get[0] === 'phases'
      const item: Source = { get: ['item'], type: isMade ? 'json' : 'int' }
      const locals: Source[] = [
        item,
        { get: ['index'], type: 'int' },
        ...(draft.as ? [{ ...item, get: [draft.as] }] : []),
      ]
      const { steps } = settleList(draft.steps, withLocals(sight, locals), names)
      return done({ ...draft, ...pickRules(rules), over, steps })
    }
    case 'cycle': {
      const locals: Source[] = [
        { get: ['iteration'], type: 'int' },
        { get: ['last'], type: 'json' },
      ]
      const { steps, after } = settleList(draft.steps, withLocals(sight, locals), names)
      const until = draft.until && condition(draft.until, after)
      const made = after.artifacts.filter((artifact) => !sight.artifacts.includes(artifact))
      const seen = {
        sources: [...sight.sources, ...made.flatMap(artifactSources)],
        artifacts: after.artifacts,
      }
      return done({ ...draft, ...pickRules(rules), until, steps }, seen)
    }
  }
}

/** To where a gate sends the run back, and what people say at it. */
function settleGate(
  { back, closes }: GateStep<Drawn>,
  earlier: readonly Step[],
): Pick<GateStep, 'back' | 'closes'> {
  const targets = earlier.flatMap((step) => (back?.by === 'changes' ? agentsIn(step) : allSteps([step])))
  const to = back && targets[back.to % targets.length]?.name
  const canAsk = to !== undefined && back?.by === 'changes'
  return {
    back: back && to !== undefined ? { ...back, to } : undefined,
    closes:
      typeof closes === 'object' && 'decisions' in closes
        ? { decisions: closes.decisions.map((said) => (said === 'changes' && !canAsk ? 'reject' : said)) }
        : closes,
  }
}

/** The agents that can be named after a phase. */
function agentsIn(step: Step): Step[] {
  if (step.kind === 'parallel') return step.branches.flat().flatMap(agentsIn)
  return step.kind === 'agent' ? [step] : []
}

const pickRules = ({ name, when }: { name: string; when: Expression | undefined }) => ({ name, when })

const withLocals = (sight: Sight, locals: Source[]): Sight => ({
  ...sight,
  sources: [
    ...sight.sources.filter(({ get }) => !locals.some((local) => local.get[0] === get[0])),
    ...locals,
  ],
})

const union = (a: Sight, b: Sight): Sight => ({
  sources: [
    ...new Map([...a.sources, ...b.sources].map((source) => [JSON.stringify(source), source])).values(),
  ],
  artifacts: [...new Set([...a.artifacts, ...b.artifacts])],
})

const artifactSources = (artifact: string): Source[] => [
  { get: ['artifacts', artifact], type: 'json' },
  { get: ['artifacts', artifact, 'n'], type: 'int' },
  { get: ['artifacts', artifact, 'of'], type: 'text' },
]

/** What a phase adds to what can be named. */
function added({ sources, artifacts }: Sight, step: Step): Sight {
  const phase = (...path: string[]) => ['phases', step.name, ...path]
  const more: Source[] = [
    { get: phase('status'), type: 'text' },
    { get: phase('output'), type: 'json' },
  ]
  const made = step.kind === 'agent' && step.makes ? [artifactOf(step.name)] : []
  if (made.length > 0 || step.kind === 'function' || (step.kind === 'wait' && typeof step.for === 'object'))
    more.push({ get: phase('output', 'n'), type: 'int' })
  if (step.kind === 'gate') more.push({ get: phase('output', 'status'), type: 'text' })
  if (listsOf(step).length > 0 && step.kind !== 'cycle') more.push({ get: phase('output'), type: 'list' })
  return {
    sources: [...sources, ...more, ...made.flatMap(artifactSources)],
    artifacts: [...artifacts, ...made],
  }
}

function value(pick: Choice | undefined, { sources }: Sight): Expression | undefined {
  if (pick === undefined) return undefined
  const source = chosen(pick, sources)
  if (source.type === 'int' && pick.isNot) return { plus: [source, pick.than] }
  return { get: source.get }
}

const ofType = (pick: Choice, { sources }: Sight, type: Source['type']): Expression => {
  const fit = sources.filter((source) => source.type === type)
  // What is known to be of another type is refused when the template is registered; of these nothing is known.
  const unknown = sources.filter(({ get: [root], type: its }) => root === 'input' && its === 'json')
  return { get: chosen(pick, fit.length > 0 ? fit : unknown).get }
}

/** Texts that phases and gates come to, and some that they do not. */
const TEXTS = ['completed', 'approved', 'failed', 'skipped']

function condition(pick: Choice, { sources }: Sight): Expression {
  const { get, type } = chosen(pick, sources)
  const said: Expression =
    type === 'int'
      ? { more: { get }, than: pick.than }
      : type === 'text'
        ? { same: { get }, as: TEXTS[pick.than] ?? 'tea' }
        : type === 'list'
          ? { more: { sizeOf: { get } }, than: pick.than }
          : { same: { get }, as: null }
  return pick.isNot ? { not: said } : said
}

const chosen = ({ at }: Choice, sources: readonly Source[]): Source => sources[at % sources.length] as Source
