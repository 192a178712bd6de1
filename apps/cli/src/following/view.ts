import type { Gate, Run, RunEvent } from '@devflow/client'
import type { RunProgress } from './run-progress.ts'

/** How a followed run is shown. */
export interface View {
  /** An event has come; `progress` has it in already. */
  event(event: RunEvent, progress: RunProgress): void
  /** The connection is lost, and made again. */
  lost(): void
  /** The screen belongs to a question; what happens meanwhile is shown after it. */
  pause(): void
  resume(): void
  /** A gate is about to be asked about, or stops the following. */
  gate(gate: Gate): void
  /** Nothing more comes. `run`: how it ended, where it did. */
  end(progress: RunProgress, run?: Run): void
}
