import type { Logger } from '@devflow/process'
import type { Client } from '@temporalio/client'
import type pg from 'pg'
import type { OpenWorkflows } from './open-workflows.ts'

export interface SweepDeps {
  pool: pg.Pool
  client: Client
  dataDir: string
  log: Logger
  /** What is younger may still be on its way. */
  olderThanMs: number
}

/** What one look at Temporal has found: taken once a sweep, when the first one needs it. */
export type Look = SweepDeps & { open: () => Promise<OpenWorkflows> }
