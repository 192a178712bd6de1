import type { Plan } from './definition.ts'
import type { PhaseKind } from './entries.ts'
import type { DecisionKind } from './gates.ts'

// What a workflow and its activities say to each other. Ids, counts and booleans only (I4): bodies stay in Postgres.

/** Where one execution of a run stands when it begins, or looks once more. */
export type Begun =
  /** `status`: what the run ended as, where there is one. */
  | { over: true; status?: Outcome }
  | {
      over: false
      /** The execution's epoch: later writes of older ones are fenced (I13). */
      epoch: number
      /** The run's attempt: what is asked for this round must not touch a later one. */
      attempt: number
      plan: Plan
      /** Heartbeat timeout for sessions, in ms: configuration of the worker, fixed for this execution. */
      heartbeatTimeoutMs: number
      heartbeatIntervalMs: number
      /** Where people look at runs, without a slash at its end. */
      console?: string
      /** The run it is a child of. */
      parent?: string
      /** What to do at the first step, found out in the same go. */
      first?: Directive
    }

/**
 * What people are shown of a run beside its steps, as the log had it when the answer was made. The answers of older
 * builds have none, and a workflow must take the same way with them.
 */
export interface Shown {
  /** Settled so far, and what may be spent: in dollars, as `0.0042`. */
  spent: string
  limit?: string
  /** Also where what is open goes on to wait. */
  paused?: true
  /** Gates that are open, the first of so many. */
  gates?: { first: string[]; total: number }
  /** The run that the step waits for. */
  child?: string
}

/** What to do at a step, as the log says after the step was opened or adopted (I14). */
export type Directive = Told & { shown?: Shown }

type Told =
  /** The step is over: go on to the next. `how`: otherwise than by being done. */
  | { do: 'next'; how?: 'skipped' | 'failed' }
  /** A gate has sent the run back: go on at that earlier step. */
  | { do: 'back'; to: string }
  /** Run the agent phase's activity under this attempt. */
  | { do: 'session'; attempt: number }
  /** Nothing to do before a wake, or before `afterMs` from now. */
  | { do: 'wait'; why: 'gate' | 'wait' | 'backoff' | 'child' | 'paused'; afterMs?: number }
  /**
   * Work side by side inside a step. These sessions are to run, those that do go on; those in `stop` are to be stopped.
   * Ask again when one has ended, at news, after `afterMs`, or at once where there is `more` to do.
   */
  | {
      do: 'work'
      is: 'running' | 'waiting' | 'paused'
      sessions: SessionRef[]
      stop: string[]
      /** How far it is, for people: of branches, items or iterations. */
      opened?: number
      total?: number
      afterMs?: number
      more?: boolean
    }
  /** The run ends. */
  | { do: 'end'; outcome: Outcome; phase?: string }
  /** The run is over, then as `status`, or another execution has it. */
  | { do: 'leave'; status?: Outcome }
  /** This round is over, and a retry has opened another: begin anew. */
  | { do: 'again' }

export type Outcome = 'completed' | 'failed' | 'canceled'

export interface RunStep {
  runId: string
  epoch: number
  /** The run's attempt that the step is of. */
  round: number
  step: string
  /** Sessions under way in this execution, by `phase/attempt`: what must have stopped before others go on. */
  busy?: string[]
}

/** One try of an agent phase, wherever it stands. */
export interface SessionRef {
  phase: string
  attempt: number
}

/** Names the session that plays an attempt. */
export const sessionKey = ({ phase, attempt }: SessionRef): string => `${phase}/${attempt}`

/** A decision or command that came through Temporal; recorded `via: temporal`. */
export interface GateCommand {
  gate: string
  decision: DecisionKind
  comment?: string
  subjectHash?: string
  actor: string
}

/**
 * How the activity of a session ended. The log holds the rest. It may have played the sessions of several steps in a row:
 * `at` is the last one's step, where that is not the one it was started for, and `ended` is what became of it. `next`: what
 * to do at the step after it, entered in the same go, where it is a session too.
 */
export type SessionEnd = { at?: string; next?: Directive } & (
  | { ended: 'completed' | 'failed' }
  | { ended: 'stopped'; why: 'paused' | 'canceled' | 'fenced' | 'budget' }
)

/**
 * The steps that come after a session's own: as many as are sessions too, and the one that follows them. None is entered
 * before the one before it has completed.
 */
export interface Onward {
  epoch: number
  /** The run's attempt that the steps are of. */
  round: number
  steps: { id: string; kind: PhaseKind }[]
}

/** Where the run's work is, when it is not at the step that was asked about. */
export interface Looked {
  step: string
  attempt: number
  shown: Shown
}

/** Short steps beside the data, run as local activities by the one writer coroutine of a workflow. */
export interface ControlActivities {
  begin(input: { runId: string; execution: string }): Promise<Begun>
  enter(input: RunStep): Promise<Directive>
  /** Whether the work under way at a step must be stopped, or has come to another step by now. */
  look(input: { runId: string; epoch: number; step: string }): Promise<'go' | 'stop' | Looked>
  command(input: {
    runId: string
    verb: 'pause' | 'resume' | 'cancel'
    actor: string
    reason?: string
  }): Promise<void>
  /** Resolves to undefined when accepted, else to why not. */
  decide(
    input: { runId: string } & GateCommand,
  ): Promise<{ kind: string; code: string; message: string } | undefined>
  /** A step whose activity failed in a way that nobody expected. */
  failStep(input: RunStep & { attempt: number; message: string }): Promise<void>
  /**
   * Closes what is open, writes report and terminal event, and looks once more. Resolves to the outcome on record: not
   * the one asked for when the run's output could not be made, or it was over already; undefined when another execution
   * has the run, or another round has begun. `over`: nothing has come since.
   */
  conclude(input: {
    runId: string
    epoch: number
    round: number
    outcome: Outcome
    phase?: string
  }): Promise<Concluded | undefined>
}

/** `compensate`: what the run has done is to be undone first, and then it is to be concluded again. */
export type Concluded = { shown?: Shown } & (
  | { outcome: Outcome; over: boolean; compensate?: undefined }
  | { outcome: Exclude<Outcome, 'completed'>; over: false; compensate: true }
)

/** Whose times one of Temporal's schedules tells of. */
export interface ScheduleClock {
  tenant: string
  schedule: string
}

/** What the workflow behind one time of a schedule does. */
export interface OccasionActivities {
  /** Keeps the occasion, once. `at`: ISO 8601. */
  keepOccasion(input: ScheduleClock & { at: string }): Promise<void>
}

/** Long work: one activity for a session, and for those that follow it within a moment. */
export interface SessionActivities {
  runAgentPhase(input: SessionInput): Promise<SessionEnd>
  runFunctionPhase(input: SessionInput): Promise<SessionEnd>
  /** Undoes what a run has done, before it ends as `outcome` says. */
  compensateRun(input: {
    runId: string
    epoch: number
    round: number
    outcome: Exclude<Outcome, 'completed'>
    phase?: string
  }): Promise<void>
}

export interface SessionInput extends SessionRef {
  runId: string
  onward?: Onward
}
