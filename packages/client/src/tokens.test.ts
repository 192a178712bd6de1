import { describe, expect, test } from 'vitest'
import { faultyServer, stream } from './faulty-server.fixture.ts'
import { finalText, StreamedText, type TokenItem } from './index.ts'

let seq = 0
const place = (phase: string, attempt: number, turn: number) => ({
  ...{ runId: 'r', seq: ++seq, at: new Date(0).toISOString() },
  ...{ phase, attempt, turn, session: `${phase}/${attempt}`, delivery: 1 },
})
const frame = (type: string, data: { seq: number }) =>
  `id: ${data.seq}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`
const say = (phase: string, attempt: number, turn: number, text: string, kind = 'token') =>
  frame('chunk', { ...place(phase, attempt, turn), kind, text } as { seq: number })
const void_ = (phase: string, attempt: number, turn: number) => {
  const at = place(phase, attempt, turn)
  return frame('chunk.reset', { ...at, fromSeq: at.seq } as { seq: number })
}
const END = 'event: end\ndata: {"status":"completed","lastSeq":99}\n\n'

/** Two phases; in the first a turn is made again, in the second a whole attempt. */
const FRAMES = [
  say('write', 1, 1, 'I look ', 'thinking'),
  say('write', 1, 1, 'Hel'),
  say('write', 1, 1, 'lo'),
  say('write', 1, 1, '{"path":', 'tool_use'),
  say('write', 1, 2, 'half of wh'),
  void_('write', 1, 2),
  say('write', 1, 2, 'What is '),
  say('write', 1, 2, 'whole.'),
  frame('chunk', { ...place('write', 1, 2), kind: 'done' } as { seq: number }),
  say('check', 1, 1, 'A failed try.'),
  say('check', 2, 1, 'All good.'),
]

describe('tokens', () => {
  const script = () => stream(FRAMES.join('') + END, 'end')

  test('are what the model says, with word of what is void', async () => {
    const server = await faultyServer([script()])
    const items: TokenItem[] = []
    const tokens = server.client.runs.tokens('r')
    let end: unknown
    while (true) {
      const { done, value } = await tokens.next()
      if (done) end = value
      if (done) break
      items.push(value)
    }
    expect(
      items.map((item) => (item.type === 'reset' ? `void ${item.phase} ${item.turn}` : item.text)),
    ).toEqual([
      ...['Hel', 'lo', 'half of wh', 'void write 2', 'What is ', 'whole.', 'A failed try.', 'All good.'],
    ])
    expect(items[0]).toEqual({ type: 'token', text: 'Hel', phase: 'write', attempt: 1, turn: 1, seq: 2 })
    expect(end).toEqual({ status: 'completed', lastSeq: 99 })
    expect(server.seen[0]?.url).toBe('/v1/runs/r/events?chunks=true&type=chunk%2Cchunk.reset')
  })

  test('may be of one phase, and with what the model thinks', async () => {
    const server = await faultyServer([script()])
    const types: string[] = []
    for await (const item of server.client.runs.tokens('r', { phase: 'write', thinking: true }))
      types.push(item.type)
    expect(types).toEqual(['thinking', 'token', 'token', 'token', 'reset', 'token', 'token'])
    for await (const item of server.client.runs.tokens('r', { phase: 'check' }))
      expect(item.type).toBe('token')
  })

  test('make a text that holds only what stands', async () => {
    const server = await faultyServer([script()])
    expect(await finalText(server.client.runs.tokens('r'))).toBe('Hello\n\nWhat is whole.\n\nAll good.')
  })

  test('make the same text when the stream is cut at any row', async () => {
    for (let cut = 0; cut <= FRAMES.length; cut++) {
      const server = await faultyServer([
        stream(FRAMES.slice(0, cut).join(''), 'break'),
        stream(FRAMES.slice(cut).join('') + END, 'end'),
      ])
      expect(await finalText(server.client.runs.tokens('r'))).toBe('Hello\n\nWhat is whole.\n\nAll good.')
    }
  })
})

test('a text can be shown while it grows', () => {
  const turn = { phase: 'write', attempt: 1, turn: 1 }
  const said = new StreamedText()
  const shown = [
    said.add({ type: 'token', text: 'Hel', seq: 1, ...turn }).text,
    said.add({ type: 'token', text: 'lo', seq: 2, ...turn }).text,
    said.add({ type: 'reset', seq: 3, ...turn }).text,
    said.add({ type: 'thinking', text: 'Hm.', seq: 4, ...turn }).text,
    said.add({ type: 'token', text: 'Hi', seq: 5, ...turn }).text,
  ]
  expect(shown).toEqual(['Hel', 'Hello', '', '', 'Hi'])
  expect(said.turns).toEqual([{ ...turn, text: 'Hi' }])
})
