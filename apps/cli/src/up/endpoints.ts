/** Where the parts of a stack are, and which processes they are. */
export interface Endpoints {
  api: string
  temporalAddress: string
  /** Absent when a Temporal that is not ours is used. */
  temporalUi?: string
  /** With its password. */
  databaseUrl: string
  pids: { api?: number; workers: number[]; temporal?: number; postgres?: number }
}
