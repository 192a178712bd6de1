import { fork } from 'node:child_process'
import { randomUUIDv7 } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import type pg from 'pg'
import { onTestFinished } from 'vitest'
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

type Answers = (Answer | { error: string })[]

/** Appends all at once or one after the other; what each member was answered. */
export type AppendFrom = (members: Member[], options?: { oneByOne?: boolean }) => Promise<Answers>

/** A process that appends, one call at a time, until the test is over. */
export function startAppender(databaseUrl: string): AppendFrom {
  const file = fileURLToPath(new URL('./appending-process.fixture.ts', import.meta.url))
  const child = fork(file, [databaseUrl], { serialization: 'advanced' })
  onTestFinished(() => void child.kill('SIGKILL'))
  return (members, { oneByOne = false } = {}) =>
    new Promise((resolve, reject) => {
      const ended = (code: number | null) => reject(new Error(`the appending process ended with ${code}`))
      child.once('exit', ended)
      child.once('error', reject)
      child.once('message', (answers) => {
        child.off('exit', ended)
        child.off('error', reject)
        resolve(answers as Answers)
      })
      child.send({ members, oneByOne })
    })
}

/** Appends from a process of its own. */
export const appendFrom = (databaseUrl: string, ...what: Parameters<AppendFrom>): Promise<Answers> =>
  startAppender(databaseUrl)(...what)
