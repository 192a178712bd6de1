import type { Words } from '../messages/words.ts'
import { count, dollars } from '../terminal/quantities.ts'
import type { Screen } from '../terminal/screen.ts'
import { progressLines } from './progress-lines.ts'
import type { View } from './view.ts'

/** A line for each thing that happens, for pipes and logs. */
export function lineView(screen: Screen, words: Words): View {
  const linesOf = progressLines(words)
  return {
    event: (event, progress) => {
      const lines = linesOf(event)
      const phase = progress.phases.get(event.phase ?? '')
      if (event.type === 'phase.completed' && phase && phase.turns > 0 && !event.data.reused) {
        const { turns, tokens } = words.run
        const figures = [turns(phase.turns), tokens(count(phase.tokens)), dollars(phase.cost.microUsd)]
        lines.push(`${lines.pop() ?? ''}: ${figures.join(', ')}`)
      }
      screen.print(...lines)
    },
    lost: () => screen.print(words.run.connection),
    pause: () => {},
    resume: () => {},
    gate: () => {},
    end: () => {},
  }
}
