import { DevflowError, type Phase } from '@devflow/contracts'
import { around, evaluateValue, type PhaseNode } from '@devflow/definition'

/** How often a phase is run in a run that goes well, and in one that goes as badly as it may. */
export interface Repetitions {
  least: number
  most: number
  /** It stands in a map over what only the run will tell: counted as one item. */
  openEnded: boolean
}

const DEFAULT_ITERATIONS = 100

export function repetitionsOf(node: PhaseNode, input: unknown): Repetitions {
  const own = timesOf(node.phase, { least: 1, most: 1, openEnded: false })
  return around(node).reduce((all, { phase }) => {
    const outer = timesOf(phase, insidesOf(phase, input))
    return {
      least: all.least * outer.least,
      most: Math.min(all.most * outer.most, Number.MAX_SAFE_INTEGER),
      openEnded: all.openEnded || outer.openEnded,
    }
  }, own)
}

/** What `when` and `retry` make of it. */
function timesOf({ when, retry }: Phase, { least, most, openEnded }: Repetitions): Repetitions {
  const isSure = when === undefined || when === true
  return { least: isSure ? least : 0, most: most * (retry?.maxAttempts ?? 1), openEnded }
}

function insidesOf(phase: Phase, input: unknown): Repetitions {
  if ('cycle' in phase) {
    const { until, max = DEFAULT_ITERATIONS } = phase.cycle
    return { least: until === undefined ? max : 1, most: max, openEnded: false }
  }
  if (!('map' in phase)) return { least: 1, most: 1, openEnded: false }
  const items = itemsOf(phase.map.over, input)
  return { least: items ?? 0, most: items ?? 1, openEnded: items === undefined }
}

/** How many items there are, where the input tells. */
function itemsOf(over: unknown, input: unknown): number | undefined {
  try {
    const items = evaluateValue(over, { input, artifacts: {}, phases: {}, run: { id: '', attempt: 1 } })
    return Array.isArray(items) ? items.length : undefined
  } catch (error) {
    if (error instanceof DevflowError) return undefined
    throw error
  }
}
