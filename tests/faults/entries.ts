import { stringify } from 'yaml'
import {
  allSteps,
  artifactOf,
  type Case,
  type CaseInput,
  type Expression,
  type Step,
  type Template,
} from './case.ts'
import { written } from './cel.ts'

/** How long what nobody comes to is waited for: long enough for a stack under faults to begin, short for a test. */
const NEVER = 'PT0.4S'

export const signalOf = (name: string): string => `go-${name}`
export const topicOf = (found: Case, name: string): string => `faults.${found.name}.${name}`

type Entry = Record<string, unknown>

/** What a function is played by: what it answers in this running of its phase, as `nth` says. */
const CALLED = `export default (input: { name: string, see: unknown, answers: string[] }, ctx: { phase: string, attempt: number }) => {
  const marks = ctx.phase.slice(input.name.length).match(/\\d+/g) ?? []
  const at = marks.reduce((sum, mark) => sum + Number(mark), ctx.attempt - 1)
  const answer = input.answers[Math.min(at, input.answers.length - 1)]
  if (answer === 'throws') throw new Error('It does not want to.')
  return answer === 'wrong' ? { n: 'none' } : { n: at, see: input.see }
}`
const ANSWER = { type: 'object', required: ['n', 'see'], properties: { n: { type: 'integer' }, see: {} } }

/** The entries that runs of all cases share. */
export const SHARED: Entry[] = [
  {
    kind: 'schema',
    id: 'faults:note@1',
    schema: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      required: ['n', 'of'],
      additionalProperties: false,
      properties: { n: { type: 'integer' }, of: { type: 'string' } },
    },
  },
  {
    kind: 'persona',
    id: 'faults:worker@1',
    model: { provider: 'openrouter', name: 'deepseek/deepseek-chat', maxOutputTokens: 300, maxTurns: 20 },
    instructions: 'Work.',
    tools: ['list_dir', 'request_subagent', 'complete'],
  },
  { kind: 'function', id: 'faults:none@1', source: CALLED, output: ANSWER, effects: 'none' },
  { kind: 'function', id: 'faults:external@1', source: CALLED, output: ANSWER, effects: 'external' },
  { kind: 'function', id: 'faults:undo@1', source: 'export default () => ({})\n' },
]

/** A case's templates: children first, since templates name what is there. */
export function entriesOf(found: Case): Entry[] {
  return [
    ...found.children.map((child) =>
      templateEntry(found, child, {
        type: 'object',
        required: ['n', 'x'],
        properties: { n: { type: 'integer' }, x: {} },
      }),
    ),
    templateEntry(found, found.template, {
      type: 'object',
      required: ['n', 'word', 'list'],
      properties: {
        n: { type: 'integer' },
        word: { type: 'string' },
        list: { type: 'array', items: { type: 'integer' } },
      },
    } satisfies { properties: Record<keyof CaseInput, unknown> } & Entry),
  ]
}

/** A case for people to read: what to put into files to see it again. */
export function yamlOf(found: Case): string {
  const documents = entriesOf(found).map((entry) => stringify(entry, { lineWidth: 120 }))
  const acts = [found.template, ...found.children].flatMap(({ steps }) => allSteps(steps).flatMap(actOf))
  const told = [
    `input: ${JSON.stringify(found.input)}${found.hasWorkspace ? ', in a workspace' : ''}`,
    ...(found.budget ? [`budget: ${JSON.stringify(found.budget)}`] : []),
    `then: ${JSON.stringify(found.sequel)}`,
    ...acts,
  ]
  return `${told.map((line) => `# ${line}`).join('\n')}\n${documents.join('---\n')}`
}

/** What happens at a phase that its template does not say. */
function actOf(step: Step): string[] {
  if (step.kind === 'agent')
    return [`${step.name}: ${step.hangs ? 'never answers' : JSON.stringify(step.replies)}`]
  if (step.kind === 'gate' && typeof step.closes === 'object' && 'decisions' in step.closes)
    return [`${step.name}: ${step.closes.decisions.join(', ')}`]
  if (step.kind === 'wait' && typeof step.for === 'object')
    return [`${step.name}: ${JSON.stringify(step.for)}`]
  return []
}

function templateEntry(found: Case, template: Template, input: Entry): Entry {
  const steps = allSteps(template.steps)
  const made = steps.filter((step) => step.kind === 'agent' && step.makes)
  return {
    kind: 'template',
    id: template.id,
    input,
    roles: { worker: { persona: 'faults:worker@1' } },
    artifacts: Object.fromEntries(made.map(({ name }) => [artifactOf(name), { schema: 'faults:note@1' }])),
    phases: template.steps.map((step) => phaseOf(found, step)),
    output: Object.fromEntries(template.tells.map((name) => [name, outputOf({ name })])),
  }
}

function phaseOf(found: Case, step: Step): Entry {
  const rules = {
    id: step.name,
    ...(step.when ? { when: written(step.when) } : {}),
    ...(step.attempts === undefined ? {} : { retry: { maxAttempts: step.attempts, backoff: 'PT0.01S' } }),
    ...(step.continues ? { onError: 'continue' } : {}),
    ...(step.undo ? { compensate: { function: 'faults:undo@1', input: { of: outputOf(step) } } } : {}),
  }
  return { ...rules, ...bodyOf(found, step) }
}

function bodyOf(found: Case, step: Step): Entry {
  switch (step.kind) {
    case 'agent':
      return {
        agent: {
          role: 'worker',
          prompt: `[${found.name} ${step.name}] ${shown(step.see)}`,
          ...(step.inputs.length > 0 ? { inputs: step.inputs } : {}),
          ...(step.makes ? { produces: artifactOf(step.name) } : {}),
        },
        ...(step.hangs ? { timeout: NEVER } : {}),
      }
    case 'function': {
      const { name, answers, see } = step
      const input = { name, answers, see: see ? written(see) : null }
      return { function: { name: `faults:${step.effects}@1`, input } }
    }
    case 'gate':
      return {
        gate: {
          title: `Go on? ${shown(step.see)}`,
          quorum: step.quorum,
          onReject: step.back?.by === 'reject' ? { goto: step.back.to } : step.onReject,
          ...(step.back?.by === 'changes' ? { allowChanges: step.back.to } : {}),
          ...(step.back ? { maxRounds: step.back.most } : {}),
          ...(typeof step.closes === 'object' && 'deadline' in step.closes
            ? { deadline: NEVER, onDeadline: { then: step.closes.deadline } }
            : {}),
        },
        ...(step.closes === 'timeout' ? { timeout: NEVER } : {}),
      }
    case 'wait':
      if (step.for === 'moment') return { wait: { for: 'PT0.05S' } }
      if (step.for === 'past') return { wait: { until: '2020-01-01T00:00:00Z' } }
      if (step.for === 'timeout') return { wait: { signal: `never-${step.name}` }, timeout: NEVER }
      return step.for.by === 'signal'
        ? { wait: { signal: signalOf(step.name) } }
        : { wait: { event: topicOf(found, step.name), match: `\${{ event.data.n == ${step.for.n} }}` } }
    case 'parallel':
      return {
        parallel: {
          branches: step.branches.map((branch) => branch.map((inner) => phaseOf(found, inner))),
          ...(step.passesOver ? { onError: 'continue' } : {}),
        },
      }
    case 'map':
      return {
        map: {
          over: Array.isArray(step.over) ? step.over : written(step.over),
          ...(step.as === undefined ? {} : { as: step.as }),
          concurrency: step.concurrency,
          phases: step.steps.map((inner) => phaseOf(found, inner)),
        },
      }
    case 'cycle':
      return {
        cycle: {
          max: step.max,
          ...(step.until ? { until: written(step.until) } : {}),
          phases: step.steps.map((inner) => phaseOf(found, inner)),
        },
      }
    case 'workflow':
      return {
        workflow: {
          template: found.children[step.child]?.id,
          input: { n: written(step.n), x: step.x ? written(step.x) : null },
        },
      }
  }
}

const outputOf = ({ name }: { name: string }): string => written({ get: ['phases', name, 'output'] })
const shown = (see: Expression | undefined): string => (see ? `see: ${written(see)}` : 'see: nothing')
