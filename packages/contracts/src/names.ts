/** What Devflow is called in Temporal: contract for its UI, its CLI and other clients. */
export const TEMPORAL = {
  workflowType: 'runWorkflow',
  workflowId: (runId: string) => `run-${runId}`,
  /** Tells of one time of a schedule. */
  occasionWorkflow: 'occasionWorkflow',
  /** An id of ours has no slash, so what is before the last one is the tenant. */
  scheduleId: (tenant: string, id: string) => `schedule-${tenant}/${id}`,
  workflowQueue: 'devflow-workflows',
  sessionQueue: 'devflow-sessions',
  signals: { wake: 'wake', pause: 'pause', resume: 'resume', gateDecision: 'gateDecision' },
  updates: { decideGate: 'decideGate' },
  queries: { state: 'state' },
  /** With their types in Temporal's words. */
  searchAttributes: {
    DevflowRun: 'Keyword',
    DevflowTemplate: 'Keyword',
    DevflowStatus: 'Keyword',
    DevflowPhase: 'Keyword',
    DevflowTenant: 'Keyword',
    /** Who plays the step; of several the first. */
    DevflowPersona: 'Keyword',
    /** Who plays anywhere in the run. */
    DevflowPersonas: 'KeywordList',
  },
} as const

/** Postgres channels. */
export const CHANNELS = {
  /** Logs of runs grew; payload: the runs' ids, with blanks between them. */
  run: 'devflow_run',
  /** The outbox has work; payload: empty. */
  outbox: 'devflow_outbox',
  /** A person asked for pause or cancel; payload: the run's id. */
  control: 'devflow_control',
  /** Events came from outside; payload: empty. */
  topics: 'devflow_topics',
} as const

export const DEFAULT_TENANT = 'default'
