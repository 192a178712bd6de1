import { join } from 'node:path'
import type { Bench } from '../bench.ts'
import { judged, median, type Row, short } from '../figures.ts'
import { startStack } from '../stack.ts'

const TIMES = 5
const AIM_S = 4

/** `npm start` on a data folder that is there, with all caches warm, from the start of its script to the ready line. */
export async function up({ folder }: Bench): Promise<Row[]> {
  const own = join(folder, 'up')
  const start = async () => {
    const stack = await startStack(own)
    await stack.stop()
    return stack.readyMs / 1_000
  }
  const first = await start()
  const times: number[] = []
  for (let n = 0; n < TIMES; n++) times.push(await start())
  return [
    {
      scenario: '`up`, warm, until all is ready',
      devflow: `${short(median(times))} s (on a new data folder ${short(first)} s)`,
      aim: judged(`${AIM_S} s`, median(times) <= AIM_S),
    },
  ]
}
