// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is what expressions look like
import { describe, expect, test } from 'vitest'
import { statusesOf } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'
import { completing, flowTemplate } from '../support/templates.ts'

const stack = useStack()
const written = (size: number) => [completing({ title: `size ${size}`, size })]

describe('a cycle', () => {
  test('goes on until its condition holds, and each iteration sees what the last one made', async () => {
    const phases = `
  - id: loop
    cycle:
      max: 9
      until: \${{ last.size > 2 && iteration < 9 }}
      phases:
        - { id: draft, agent: { role: a, prompt: "Draft \${{ iteration }} after \${{ last }}.", produces: note } }
`
    const end = await stack.finish(
      flowTemplate(phases, {
        a: { phases: { 'draft#1': written(1), 'draft#2': written(2), 'draft#3': written(3) } },
        output: { note: '${{ artifacts.note }}', last: '${{ phases.loop.output }}' },
      }),
    )
    expect(end.error).toBe(null)
    expect(statusesOf(end)).toEqual({
      loop: 'completed',
      'draft#1': 'completed',
      'draft#2': 'completed',
      'draft#3': 'completed',
    })
    const best = { title: 'size 3', size: 3 }
    expect(end.output).toEqual({ note: best, last: best })
    const prompts = end.events
      .filter(({ type }) => type === 'turn.started')
      .map(({ data }) => JSON.stringify(data))
    expect(prompts[0]).toContain('Draft 1 after null.')
    expect(prompts[2]).toContain('size 2')
  })

  test('ends after its iterations where nothing says until, and fails where that never came', async () => {
    const nap = 'phases: [{ id: nap, wait: { for: PT0.001S } }]'
    const counted = await stack.finish(flowTemplate(`  - { id: loop, cycle: { max: 3, ${nap} } }`))
    expect(Object.keys(statusesOf(counted)).sort()).toEqual(['loop', 'nap#1', 'nap#2', 'nap#3'])
    expect(counted.status).toBe('completed')
    const never = await stack.finish(
      flowTemplate(`  - { id: loop, cycle: { max: 2, until: false, ${nap} } }`),
    )
    expect(never.error).toMatchObject({
      code: 'cycle_exhausted',
      message: expect.stringContaining('2 iterations'),
    })
  })

  test('of hundreds of iterations keeps every history small', async () => {
    const phases = `
  - id: loop
    cycle:
      max: 300
      phases:
        - { id: never, when: "\${{ iteration < 0 }}", wait: { for: PT1H } }
        - { id: nap, when: "\${{ iteration % 50 == 0 }}", wait: { for: PT0.001S } }
`
    const run = await stack.submit(flowTemplate(phases))
    const end = await stack.until(run, ({ status }) => status === 'completed' || status === 'failed', 90_000)
    expect(end.error).toBe(null)
    expect(Object.values(statusesOf(end)).filter((status) => status === 'completed')).toHaveLength(7)
    expect((await stack.histories(run)).longest).toBeLessThan(300)
  })
})
