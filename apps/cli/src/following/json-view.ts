import type { Screen } from '../terminal/screen.ts'
import type { View } from './view.ts'

/** One JSON object a line. */
export function jsonView(screen: Screen): View {
  const line = (value: object) => screen.print(JSON.stringify(value))
  return {
    event: (record) => line({ event: 'run', record }),
    lost: () => {},
    pause: () => {},
    resume: () => {},
    gate: (gate) => line({ event: 'gate', gate }),
    end: ({ id, status }, run) => {
      if (run) line({ event: 'end', runId: id, status: run.status, run })
      else line({ event: 'left', runId: id, status })
    },
  }
}
