import { fork } from 'node:child_process'
import { randomUUIDv7 } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import type pg from 'pg'
import type { Answer, Member } from './append-types.ts'

/** A submitted run with one agent phase `p`, for tests of the log. */
export async function newRun(
  pool: pg.Pool,
  {
    budget = {},
    template = 'test@1',
    labels = {},
    tenant = 'default',
    parent,
  }: {
    budget?: object
    template?: string
    labels?: Record<string, string>
    tenant?: string
    parent?: string
  } = {},
): Promise<string> {
  const runId = randomUUIDv7()
  const definition = {
    format: 1,
    template: 'test@1',
    title: 'Test',
    phases: [{ id: 'p', agent: { role: 'r', prompt: 'x' } }],
  }
  const submitted = {
    format: 1,
    template,
    definitionHash: 'test',
    input: {},
    labels,
    budget,
    actor: 'owner',
    ...(parent === undefined ? {} : { parent }),
    phases: [{ id: 'p', kind: 'agent' }],
  }
  await pool.query('select devflow.submit($1, $2, $3, $4, $5)', [
    runId,
    tenant,
    'test',
    definition,
    submitted,
  ])
  return runId
}

/** Appends from a process of its own, all at once or one after the other; what each member was answered. */
export async function appendFrom(
  databaseUrl: string,
  members: Member[],
  { oneByOne = false } = {},
): Promise<(Answer | { error: string })[]> {
  const child = fork(fileURLToPath(new URL('./appending-process.fixture.ts', import.meta.url)), {
    serialization: 'advanced',
  })
  try {
    const answers = new Promise<(Answer | { error: string })[]>((resolve, reject) => {
      child.once('message', resolve)
      child.once('error', reject)
      child.once('exit', (code) => reject(new Error(`the appending process ended with ${code}`)))
    })
    child.send({ databaseUrl, members, oneByOne })
    return await answers
  } finally {
    child.kill('SIGKILL')
  }
}
