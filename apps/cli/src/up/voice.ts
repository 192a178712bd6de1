import type { RunEvent } from '@devflow/contracts'
import type { Endpoints } from './endpoints.ts'
import { progressLines } from './progress-lines.ts'
import { readyProse } from './ready-prose.ts'

/** How `up` speaks: prose for people, or one JSON object a line. */
export interface Voice {
  say(text: string): void
  /** All parts run. `again`: after a restart of one. */
  ready(endpoints: Endpoints, again: boolean): void
  /** A sample run was submitted; `followed` when its progress is about to be told. */
  sample(runId: string, endpoints: Endpoints, followed: boolean): void
  event(event: RunEvent): void
  report(markdown: string): void
}

type Write = (text: string) => void

export function proseVoice(dataDir: string, startedAt: number, write: Write): Voice {
  const linesOf = progressLines()
  return {
    say: (text) => write(`${text}\n`),
    ready: (endpoints, again) =>
      write(again ? 'All parts run again.\n' : readyProse(endpoints, dataDir, Date.now() - startedAt)),
    sample: (runId, { api }, followed) => {
      write(`A sample run is under way: ${runId}\n`)
      if (followed) return
      write(
        [
          `  follow it     curl -N -H 'Accept: text/event-stream' ${api}/v1/runs/${runId}/events`,
          `  its gate      curl ${api}/v1/runs/${runId}/gates`,
          `  approve it    curl -X POST ${api}/v1/runs/${runId}/gates/approve/decisions -H 'Content-Type: application/json' -d '{"decision":"approve"}'`,
          `  its report    curl -H 'Accept: text/markdown' ${api}/v1/runs/${runId}/report`,
          '',
          '',
        ].join('\n'),
      )
    },
    event: (event) => {
      for (const line of linesOf(event)) write(`${line}\n`)
    },
    report: (markdown) => write(`\n${markdown.trimEnd()}\n\n`),
  }
}

export function jsonVoice(write: Write): Voice {
  const line = (value: object) => write(`${JSON.stringify(value)}\n`)
  return {
    say: (text) => line({ event: 'progress', text }),
    ready: ({ pids, ...endpoints }) => line({ event: 'ready', ...endpoints, console: endpoints.api, pids }),
    sample: (runId) => line({ event: 'sample', runId }),
    event: (record) => line({ event: 'run', record }),
    report: (markdown) => line({ event: 'report', markdown }),
  }
}
