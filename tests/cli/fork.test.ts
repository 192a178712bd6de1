import { expect, test } from 'vitest'
import { useCommandStack } from './stack.ts'

const devflow = useCommandStack()

interface Run {
  id: string
  status: string
  input: unknown
  forkedFrom?: string
}

/** A run that was approved, and completed. */
async function completed(): Promise<string> {
  const { id } = await devflow.json<Run>('run', 'asks@1', '--detach', '--input', 'n=3', '--input', 'text=old')
  await devflow.stack.untilEvent(id, 'gate.opened')
  await devflow.stack.decide(id, 'approve')
  await devflow.stack.untilStatus(id, 'completed')
  return id
}

test('`runs fork` follows a new run from a phase of another, and `runs diff` says what differs, in 80 columns', async () => {
  const source = await completed()
  const { code, stdout } = await devflow.run('runs', 'fork', source, '--from', 'after', '--input', 'text=new')
  expect(code).toBe(0)
  const id = /Forked (\S+) from/.exec(stdout)?.[1] ?? ''
  devflow.stack.runs.push(id)
  expect(stdout).toContain(`Forked ${id} from ${source}; work, approve taken over`)
  expect(stdout.match(/\d {2}(work|approve) +taken over/g)).toHaveLength(2)
  expect(stdout).not.toMatch(/ work +started/)
  expect(stdout).toMatch(/ after +started/)
  const forked = await devflow.json<Run>('runs', 'show', id)
  // Fields come over the input of the run.
  expect(forked).toMatchObject({ status: 'completed', forkedFrom: source, input: { n: 3, text: 'new' } })

  const diff = await devflow.run('runs', 'diff', source, id)
  expect(diff.code).toBe(0)
  expect(diff.stdout).toContain('- text: "old"\n+ text: "new"\n')
  expect(diff.stdout).toMatch(/\n {7,}b {2}completed, taken over +1 +0 +\$0\.00/)
  expect(diff.stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
  expect(await devflow.json('runs', 'diff', source, id)).toMatchObject({
    a: { id: source },
    b: { id, forkedFrom: source },
    input: { changes: [{ path: 'text', a: 'old', b: 'new' }] },
  })
})

test('`runs fork --detach` answers the run, and a phase that is none is told with those there are', async () => {
  const source = await completed()
  const run = await devflow.json<Run>('runs', 'fork', source, '--from', 'approve', '--detach')
  devflow.stack.runs.push(run.id)
  expect(run).toMatchObject({ forkedFrom: source, input: { n: 3, text: 'old' } })
  const { code, stderr } = await devflow.run('runs', 'fork', source, '--from', 'nowhere')
  expect(code).not.toBe(0)
  expect(stderr).toContain('its phases are work, approve, after')
  const korean = await devflow.run('runs', 'diff', source, run.id, '--lang', 'ko')
  expect(korean.stdout).toContain('이어받음')
})
