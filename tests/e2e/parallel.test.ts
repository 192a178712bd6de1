import { describe, expect, test } from 'vitest'
import { useStack } from '../support/stack.ts'
import { completing, failing, looking, NOTE } from '../support/templates.ts'

const stack = useStack()

const persona = (id: string, script: object) =>
  `---\n${JSON.stringify({ kind: 'persona', id, model: { provider: 'scripted', name: id, script }, tools: ['list_dir', 'complete'] })}\n`

const template = (phases: string, ...personas: string[]) => `
kind: template
id: parallel@1
roles: { a: { persona: a@1 }, b: { persona: b@1 } }
artifacts: { note: { schema: note@1 }, second: { schema: note@1 } }
phases:
${phases}
output: { both: "\${{ phases.both.output }}" }
${personas.join('')}`

const two = (more = '', rules = '') => `
  - id: both
    parallel:
      branches:
        - [{ id: left, agent: { role: a, prompt: Write., produces: note } }]
        - [{ id: right, agent: { role: b, prompt: Write., produces: second } }, { id: after, wait: { for: PT0.01S } }]
      ${rules}
${more}`

const done = { turns: [looking, completing(NOTE)] }

describe('a parallel phase', () => {
  test('runs its branches at once, and its output is theirs', async () => {
    const end = await stack.finish(template(two(), persona('a@1', done), persona('b@1', done)))
    expect(end.error).toBe(null)
    expect(end.status).toBe('completed')
    expect(
      Object.entries(end.phases)
        .map(([id, { status }]) => [id, status])
        .sort(),
    ).toEqual([
      ['after', 'completed'],
      ['both', 'completed'],
      ['left', 'completed'],
      ['right', 'completed'],
    ])
    expect(end.output).toEqual({ both: [NOTE, null] })
    const started = end.events.filter(({ type }) => type === 'phase.started').map(({ phase }) => phase)
    expect(started[0]).toBe('both')
  })

  test('fails with the branch that failed, once the others have stopped', async () => {
    const slow = {
      turns: [
        { ...looking, reply: 'many words '.repeat(200), chunks: 2000, chunkDelayMs: 10 },
        completing(NOTE),
      ],
    }
    const end = await stack.finish(
      template(two(), persona('a@1', { turns: [failing] }), persona('b@1', slow)),
    )
    expect(end.status).toBe('failed')
    expect(end.error).toMatchObject({ code: 'overloaded', message: expect.stringContaining('left') })
    expect(end.phases).toMatchObject({
      both: { status: 'failed' },
      left: { status: 'failed' },
      right: { status: 'canceled' },
      after: { status: 'canceled' },
    })
  })
})
