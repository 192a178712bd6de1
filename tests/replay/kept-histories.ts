import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Client } from '@temporalio/client'
import { type History, historyFromJSON, historyToJSON } from '@temporalio/common/lib/proto-utils.js'

const FOLDER = fileURLToPath(new URL('./histories', import.meta.url))

/** A history with the id it ran under. */
export interface KeptHistory {
  workflowId: string
  history: History
}

/** Fields that say who and where, not what: replays do not read them. */
const WHO_AND_WHERE = new Set(['identity', 'stackTrace', 'originalExecutionRunId', 'requestId', 'taskId'])

/** All histories on record, by name. */
export async function keptHistories(): Promise<Map<string, KeptHistory>> {
  const files = (await readdir(FOLDER)).filter((file) => file.endsWith('.json')).sort()
  const pairs = await Promise.all(
    files.map(async (file) => {
      const text = await readFile(join(FOLDER, file), 'utf8')
      const { workflowId, events } = JSON.parse(text) as { workflowId: string; events: object[] }
      return [file.replace(/\.json$/, ''), { workflowId, history: historyFromJSON({ events }) }] as const
    }),
  )
  return new Map(pairs)
}

/**
 * Keeps the longest history among a workflow's executions: a wake that came late starts one that only finds the run
 * over. Throws when it would tell of this machine.
 */
export async function keepHistory(name: string, client: Client, workflowId: string): Promise<void> {
  const found: object[][] = []
  for await (const { runId } of client.workflow.list({ query: `WorkflowId = '${workflowId}'` })) {
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory()
    found.push((JSON.parse(historyToJSON(history)) as { events: object[] }).events)
  }
  const [longest = []] = found.sort((a, b) => b.length - a.length)
  const events = longest.map((event) => withoutPlace(event))
  for (const word of [`@${hostname()}`, process.cwd(), `${tmpdir()}/`]) {
    if (allTexts(events).some((value) => value.includes(word)))
      throw new Error(`the history ${name} tells of ${word}`)
  }
  const lines = events.map((event) => JSON.stringify(event)).join(',\n')
  await mkdir(FOLDER, { recursive: true })
  await writeFile(join(FOLDER, `${name}.json`), `{"workflowId": "${workflowId}", "events": [\n${lines}\n]}\n`)
}

function withoutPlace(value: unknown): unknown {
  // A worker's own task queue is named after its process and host.
  if (typeof value === 'string') return value.replaceAll(`@${hostname()}-`, '@worker-')
  if (Array.isArray(value)) return value.map(withoutPlace)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([field]) => !WHO_AND_WHERE.has(field))
      .map(([field, inner]) => [field, withoutPlace(inner)]),
  )
}

/** Every text in a history, payloads decoded. */
function allTexts(value: unknown): string[] {
  if (typeof value === 'string') return [value, Buffer.from(value, 'base64').toString('utf8')]
  if (value === null || typeof value !== 'object') return []
  return Object.values(value).flatMap(allTexts)
}
