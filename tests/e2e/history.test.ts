import { describe, expect, test } from 'vitest'
import { useStack } from '../support/stack.ts'
import { completing, looking, NOTE, scriptedTemplate } from '../support/templates.ts'

const stack = useStack()

/** The history of a run that has ended: how many events, and the largest payload in bytes. */
async function historyOf(run: string): Promise<{ events: number; largest: number }> {
  await stack.workflow(run).result()
  const { events = [] } = await stack.workflow(run).fetchHistory()
  return { events: events?.length ?? 0, largest: Math.max(...payloads(events)) }
}

/** Sizes of all payloads anywhere in a value. */
function payloads(value: unknown): number[] {
  if (value === null || typeof value !== 'object') return []
  if ('data' in value && value.data instanceof Uint8Array) return [value.data.length]
  return Object.values(value).flatMap(payloads)
}

const turns = (count: number) => ({ turns: [...Array(count - 1).fill(looking), completing(NOTE)] })
const second = '  - { id: again, agent: { role: worker, prompt: Work again., produces: second } }'

describe('the history of a run', () => {
  test('grows by the same few events for a phase of one turn and one of thirty', async () => {
    const cost = async (count: number) => {
      const [one, two] = await Promise.all([
        stack.finish(scriptedTemplate(turns(count), { produces: true })),
        stack.finish(
          scriptedTemplate(turns(count), {
            produces: true,
            then: second,
          }),
        ),
      ])
      expect([one.status, two.status]).toEqual(['completed', 'completed'])
      return (await historyOf(two.id)).events - (await historyOf(one.id)).events
    }
    const [short, long] = [await cost(1), await cost(30)]
    expect(short).toBeLessThanOrEqual(8)
    expect(long).toBe(short)
  })

  test('holds no large payload, whatever goes through the run', async () => {
    const large = 'lorem ipsum '.repeat(20_000)
    const text = scriptedTemplate(
      {
        turns: [
          { ...looking, reply: large, chunks: 9 },
          { ...completing({ title: large, size: 1 }), thinking: large, chunks: 9 },
        ],
      },
      { produces: true },
    )
    const end = await stack.finish(text, { input: { large } })
    expect(end.status).toBe('completed')
    expect((await historyOf(end.id)).largest).toBeLessThan(32 * 1024)
  })

  test('holds no large payload when the run fails with a long error', async () => {
    const message = 'no '.repeat(100_000)
    const end = await stack.finish(scriptedTemplate({ turns: [{ error: { code: 'no', message } }] }))
    expect(end.status).toBe('failed')
    expect((await historyOf(end.id)).largest).toBeLessThan(32 * 1024)
  })
})
