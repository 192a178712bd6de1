import type { dataLayout } from '../data-layout.ts'
import type { Endpoints } from '../endpoints.ts'
import type { Running, Supervised } from '../supervise.ts'
import type { UpOptions } from '../up-options.ts'

/** What a part is started with. Each part writes where it is into the endpoints before it is announced. */
export interface PartContext {
  readonly options: UpOptions
  readonly at: ReturnType<typeof dataLayout>
  readonly endpoints: Endpoints
  progress(text: string): void
  notice(text: string): void
  /** Starts a part and keeps it running; `onRunning` notes where it is, each time. */
  keep<Part extends Running>(
    name: string,
    start: () => Promise<Part>,
    onRunning: (part: Part) => void,
  ): Promise<Supervised>
}
