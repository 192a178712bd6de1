import { Report, reportSchema } from '@devflow/contracts'
import { readArtifact, readPhases, readRun } from '@devflow/db'
import { checkInput } from '@devflow/definition'
import MarkdownIt from 'markdown-it'
import type pg from 'pg'

const markdown = new MarkdownIt({ html: true })
const FOREIGN = ['html_block', 'html_inline', 'link_open', 'image', 'hr', 's_open', 'code_block']
const schema = reportSchema()

/**
 * What is wrong with the latest reports of these runs, by the laws of every report: the JSON is as its published schema
 * says, with nothing that it does not say; run and phases end in it as the log has them; and a Markdown parser sees the
 * report's own chapters, without HTML and links, whatever was written into it.
 */
export async function brokenReports(
  pool: pg.Pool,
  tenant: string,
  runs: readonly string[],
): Promise<Record<string, string[]>> {
  const broken: Record<string, string[]> = {}
  for (const id of runs) {
    const faults = await faultsOf(pool, tenant, id)
    if (faults.length > 0) broken[id] = faults
  }
  return broken
}

async function faultsOf(pool: pg.Pool, tenant: string, id: string): Promise<string[]> {
  const run = await readRun(pool, tenant, id)
  const json = await readArtifact(pool, id, 'report.json')
  // One that is not over has none of this round; one that never began has none at all.
  if (!run?.endedAt || !json || json.version !== run.attempt) return []
  const value: unknown = JSON.parse(json.content.toString('utf8'))
  const faults = checkInput({ input: schema } as never, value).map(
    ({ path, message }) => `its schema: ${path} ${message}`,
  )
  const { success, data, error } = Report.safeParse(value)
  if (!success) return [...faults, `the contract: ${error.message}`]
  if (JSON.stringify(sorted(data)) !== JSON.stringify(sorted(value)))
    faults.push('it says more than the contract')
  const { items } = await readPhases(pool, id, { limit: 500 })
  const statuses = items.map(({ id, status, error }) => ({ id, status, error }))
  const reported = data.phases.map(({ id, status, error }) => ({ id, status, error }))
  if (JSON.stringify(sorted(statuses)) !== JSON.stringify(sorted(reported)))
    faults.push(`phases: ${JSON.stringify(reported)} instead of ${JSON.stringify(statuses)}`)
  for (const field of ['output', 'error', 'input', 'definitionHash', 'attempt'] as const)
    if (JSON.stringify(sorted(run[field] ?? null)) !== JSON.stringify(sorted(data[field] ?? null)))
      faults.push(`${field} differs`)
  if (run.status !== data.outcome) faults.push(`${data.outcome} instead of ${run.status}`)
  const text = await readArtifact(pool, id, 'report.md')
  return [...faults, ...markdownFaults(text?.content.toString('utf8') ?? '', data)]
}

/** Chapters by their beginnings, in order. */
function chapters({ outcome, output, phases, models, retries, changes, compensations }: Report): string[] {
  return [
    ...(outcome === 'failed' ? ['Why it failed'] : outcome === 'canceled' ? ['Why it was canceled'] : []),
    ...(retries.length > 0 ? ['Earlier rounds'] : []),
    ...(compensations ? ['What was undone'] : []),
    'Input',
    ...(output === undefined ? [] : ['Output']),
    ...(changes ? ['Changes'] : []),
    ...phases.map((_, index) => `${index + 1}. `),
    ...(models.length > 0 ? ['Money'] : []),
    'How to do it again',
  ]
}

function markdownFaults(text: string, report: Report): string[] {
  const tokens = markdown.parse(text, {})
  const foreign = tokens
    .flatMap((token) => [token, ...(token.children ?? [])])
    .filter(({ type }) => FOREIGN.includes(type))
    .map(({ type, content }) => `the Markdown holds ${type}: ${content}`)
  const headings = tokens.flatMap(({ type, tag }, index) =>
    type === 'heading_open' ? [{ tag, text: tokens[index + 1]?.content ?? '' }] : [],
  )
  const [first, ...rest] = headings
  const expected = chapters(report)
  const asExpected =
    first?.tag === 'h1' &&
    first.text.endsWith(`: ${report.outcome}`) &&
    rest.length === expected.length &&
    rest.every(({ tag, text }, index) => tag === 'h2' && text.startsWith(expected[index] ?? '\n'))
  return asExpected ? foreign : [...foreign, `chapters: ${JSON.stringify(headings)}, not ${expected}`]
}

/** With the fields of objects in order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (value === null || typeof value !== 'object') return value
  const fields = Object.entries(value).filter(([, part]) => part !== undefined)
  return Object.fromEntries(
    fields.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, part]) => [name, sorted(part)]),
  )
}
