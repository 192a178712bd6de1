import type { RunEvent } from '@devflow/contracts'
import { progressLines } from '../following/progress-lines.ts'
import { harmless, padEnd } from '../terminal/fit.ts'
import type { Endpoints } from './endpoints.ts'
import { readyProse } from './ready-prose.ts'
import type { UpOptions } from './up-options.ts'

/** How `up` speaks: prose for people, or one JSON object a line. */
export interface Voice {
  say(text: string): void
  /** Something is not as a person will think: prose has it on stderr. */
  warn(text: string): void
  /** All parts run. `again`: after a restart of one. */
  ready(endpoints: Endpoints, again: boolean): void
  /** A sample run was submitted; `followed` when its progress is about to be told. */
  sample(runId: string, endpoints: Endpoints, followed: boolean): void
  event(event: RunEvent): void
  report(markdown: string): void
}

type Write = (text: string) => void

export function proseVoice(
  { dataDir, words, config: { program } }: UpOptions,
  startedAt: number,
  write: Write,
  writeError: Write,
): Voice {
  const linesOf = progressLines(words)
  return {
    say: (text) => write(`${text}\n`),
    warn: (text) => writeError(`! ${harmless(text)}\n`),
    ready: (endpoints, again) =>
      write(
        again ? `${words.up.again}\n` : readyProse(endpoints, dataDir, performance.now() - startedAt, words),
      ),
    sample: (runId, _, followed) => {
      write(`${words.up.sample(runId)}\n`)
      if (followed) return
      const { follow, gate, approve, report } = words.up.sampleNext
      const rows = [
        [follow, 'runs show last --follow'],
        [gate, 'gates'],
        [approve, 'approve last'],
        [report, 'runs report last'],
      ]
      for (const [what = '', command] of rows) write(`  ${padEnd(what, 12)}${program} ${command}\n`)
      write('\n')
    },
    event: (event) => {
      for (const line of linesOf(event)) write(`  ${line}\n`)
    },
    report: (markdown) => write(`\n${markdown.trimEnd()}\n\n`),
  }
}

export function jsonVoice(write: Write): Voice {
  const line = (value: object) => write(`${JSON.stringify(value)}\n`)
  return {
    say: (text) => line({ event: 'progress', text }),
    warn: (text) => line({ event: 'progress', text }),
    ready: ({ pids, ...endpoints }) => line({ event: 'ready', ...endpoints, console: endpoints.api, pids }),
    sample: (runId) => line({ event: 'sample', runId }),
    event: (record) => line({ event: 'run', record }),
    report: (markdown) => line({ event: 'report', markdown }),
  }
}
