import type { Endpoints } from './endpoints.ts'

/** What is where, for people. */
export function readyProse(endpoints: Endpoints, dataDir: string, tookMs: number): string {
  const { api, temporalUi, temporalAddress } = endpoints
  const rows = [
    ['API', `${api}/v1/runs`],
    ['Reference', `${api}/docs`],
    ['Temporal', temporalUi ?? temporalAddress],
    ['Data', `${dataDir} (logs in logs/)`],
  ]
  return [
    `Devflow is ready (${(tookMs / 1000).toFixed(1)} s).`,
    '',
    ...rows.map(([name = '', value]) => `  ${name.padEnd(12)}${value}`),
    '',
    'Ctrl-C stops everything in good order; unfinished runs go on at the next start.',
    '',
    '',
  ].join('\n')
}
