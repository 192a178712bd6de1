import type { RunEvent } from '@devflow/contracts'
import type { Bench } from '../bench.ts'
import { judged, median, quantile, type Row, short } from '../figures.ts'
import { call, type Stack } from '../stack.ts'

const TIMES = 50
const AIM_MS = 60

/** From the POST of a decision to `phase.started` of the next phase, as a client sees it on the event stream. */
export async function decide(bench: Bench): Promise<Row[]> {
  const stack = await bench.stack()
  await decideOne(stack)
  const times: number[] = []
  for (let n = 0; n < TIMES; n++) times.push(await decideOne(stack))
  const p50 = median(times)
  return [
    {
      scenario: 'decision to the next phase, seen on the stream',
      devflow: `p50 ${short(p50)} ms, p90 ${short(quantile(times, 0.9))} ms`,
      aim: judged(`p50 ${AIM_MS} ms`, p50 <= AIM_MS),
    },
  ]
}

async function decideOne(stack: Stack): Promise<number> {
  const { api } = stack.endpoints
  const run = await stack.submit({ template: 'bench-gate@1' })
  const { lastSeq } = await stack.settled(run)
  const stream = await fetch(`${api}/v1/runs/${run}/events?after=${lastSeq}`, {
    headers: { accept: 'text/event-stream' },
  })
  const seen = sees(stream, ({ type, phase }) => type === 'phase.started' && phase === 'after')
  const posted = performance.now()
  await call(`${api}/v1/runs/${run}/gates/ask/decisions`, { decision: 'approve' })
  return (await seen) - posted
}

/** When the stream brings an event that `isIt`; reads it to its end. */
async function sees({ body }: Response, isIt: (event: RunEvent) => boolean): Promise<number> {
  if (!body) throw new Error('the stream has no body')
  let at = Number.NaN
  let rest = ''
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const frames = (rest + text).split('\n\n')
    rest = frames.pop() ?? ''
    for (const frame of frames) {
      const data = /^data: (.*)$/m.exec(frame)?.[1]
      if (data !== undefined && isIt(JSON.parse(data))) at = performance.now()
    }
  }
  return at
}
