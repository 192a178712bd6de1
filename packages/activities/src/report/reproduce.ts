import type { Budget, Definition, Report, SubmitRun, Workspace } from '@devflow/contracts'
import type { Progress, ReportFacts } from '@devflow/db'
import { Decimal } from 'decimal.js'
import { document, word } from './shell.ts'

/** Longer values are given in a document: a command is to be read. */
const LONGEST_VALUE = 200

export interface Source {
  progress: Pick<Progress, 'template' | 'input' | 'budget' | 'workspace' | 'labels'>
  definition: Pick<Definition, 'budget'>
  facts: Pick<ReportFacts, 'bindings'> & { phases: { commit: string | null }[] }
}

/** How to do the same again: the same template, input, bindings and budget, on the commit the run worked on. */
export function reproduce({ progress, definition, facts }: Source): Report['reproduce'] {
  const { template, input, workspace, labels } = progress
  const budget = ownBudget(progress.budget, definition.budget)
  const commit = facts.phases.find(({ commit }) => commit !== null)?.commit
  const request: SubmitRun = {
    template,
    // No input at all counts as `{}`.
    ...(isNothing(input) ? {} : { input: input as Report['input'] }),
    ...(Object.keys(facts.bindings).length > 0 ? { bindings: facts.bindings } : {}),
    ...(budget ? { budget } : {}),
    ...(workspace ? { workspace: placed(workspace, commit) } : {}),
    ...(Object.keys(labels).length > 0 ? { labels } : {}),
  }
  return { request, cli: cliOf(request), curl: curlOf(request) }
}

const isNothing = (input: unknown) => input === null || input === undefined || JSON.stringify(input) === '{}'

/** On the very commit, whatever its branch has become. */
function placed({ repo, ...how }: Workspace, commit: string | null | undefined): Workspace {
  return { repo, ...how, ...(commit ? { base: commit } : {}) }
}

/** What the submission said beyond the template. */
function ownBudget(budget: Budget, template: Budget = {}): Budget | undefined {
  const own = Object.entries(budget).filter(([field, value]) => template[field as keyof Budget] !== value)
  return own.length > 0 ? Object.fromEntries(own) : undefined
}

function cliOf({ template, input, bindings = {}, budget, workspace, labels = {} }: SubmitRun): string {
  const fields = inputFields(input)
  const options = [
    ...(fields ?? (input === undefined ? [] : ['--input-file -'])),
    ...Object.entries(bindings).map((pair) => `--bind ${word(pair.join('='))}`),
    ...(workspace ? [`--repo ${word(workspace.repo)}`] : []),
    ...(workspace?.base ? [`--base ${word(workspace.base)}`] : []),
    ...(budget?.limitMicroUsd === undefined
      ? []
      : [`--budget ${new Decimal(budget.limitMicroUsd).div(1e6).toFixed()}`]),
    ...Object.entries(labels).map((pair) => `--label ${word(pair.join('='))}`),
    // Standard input is taken by the document: nobody can be asked.
    ...(fields || input === undefined ? [] : [`--yes ${document(input)}`]),
  ]
  return [`devflow run ${word(template)}`, ...options].join(' \\\n  ')
}

/** An input as `--input` options; undefined where they cannot say it, or not legibly. */
function inputFields(input: SubmitRun['input']): string[] | undefined {
  if (input === null || typeof input !== 'object' || Array.isArray(input)) return undefined
  const fields = Object.entries(input).map(([field, value]) => {
    const text = typeof value === 'string' && !isJson(value) ? value : JSON.stringify(value)
    return { field, text }
  })
  const legible = fields.every(
    ({ field, text }) =>
      /^[A-Za-z_][\w-]*$/.test(field) && text.length <= LONGEST_VALUE && !/[\p{C}\p{Zl}\p{Zp}]/u.test(text),
  )
  return legible ? fields.map(({ field, text }) => `--input ${word(`${field}=${text}`)}`) : undefined
}

/** A value that is JSON is read as JSON. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function curlOf(request: SubmitRun): string {
  const address = `"\${DEVFLOW_URL:-http://127.0.0.1:8787}/v1/runs"`
  return `curl -s ${address} -H 'Content-Type: application/json' --data-binary @- ${document(request)}`
}
