import type { Words } from '../messages/words.ts'
import { padEnd } from '../terminal/fit.ts'
import type { Endpoints } from './endpoints.ts'

/** What is where, for people. */
export function readyProse(
  endpoints: Endpoints,
  dataDir: string,
  tookMs: number,
  { up: words }: Words,
): string {
  const { api, temporalUi, temporalAddress } = endpoints
  const rows = [
    [words.rows.api, `${api}/v1/runs`],
    [words.rows.reference, `${api}/docs`],
    [words.rows.temporal, temporalUi ?? temporalAddress],
    [words.rows.data, words.logs(dataDir)],
  ]
  return [
    words.ready((tookMs / 1000).toFixed(1)),
    '',
    ...rows.map(([name = '', value]) => `  ${padEnd(name, 12)}${value}`),
    '',
    words.stop,
    '',
    '',
  ].join('\n')
}
