import type { Schedule } from '@devflow/client'
import type { Words } from '../messages/words.ts'
import type { Paint } from '../terminal/palette.ts'

export function stateOf(
  { paused, remaining, problem }: Schedule,
  { sources: { states } }: Words,
): { text: string; paint: Paint } {
  if (problem !== undefined) return { text: states.refused, paint: 'bad' }
  if (paused) return { text: states.paused, paint: 'notice' }
  return remaining === 0 ? { text: states.usedUp, paint: 'faint' } : { text: states.on, paint: 'plain' }
}
