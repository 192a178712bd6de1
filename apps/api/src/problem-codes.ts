import type { ErrorDetail, ErrorKind, Problem } from '@devflow/contracts'
import { RUN_ID } from './examples.ts'
import { problemOf, statusOf } from './problems.ts'

interface Meaning {
  kind: ErrorKind
  /** What the code means: as `docs/http-api.md` says it, in Markdown. */
  meaning: string
  /** An example of what the problem says. */
  detail: string
  errors?: ErrorDetail[]
}

const known = <Code extends string>(codes: Record<Code, Meaning>): Record<Code, Meaning> => codes

const invalid = (meaning: string, detail: string, errors?: ErrorDetail[]): Meaning => ({
  kind: 'INVALID',
  meaning,
  detail,
  ...(errors ? { errors } : {}),
})
const refused = (meaning: string, detail: string): Meaning => ({ kind: 'PERMISSION_DENIED', meaning, detail })
const missing = (meaning: string, detail: string): Meaning => ({ kind: 'NOT_FOUND', meaning, detail })
const conflict = (meaning: string, detail: string): Meaning => ({ kind: 'CONFLICT', meaning, detail })

/** Every code that an answer over HTTP can have. Operations name theirs; the OpenAPI document says the rest. */
export const PROBLEMS = known({
  malformed_request: invalid('no request that HTTP/1.1 allows', 'This is no request that HTTP/1.1 allows.'),
  malformed_json: invalid(
    'the body is no JSON, or not UTF-8',
    'The body is not valid JSON: a value is expected at line 1, column 13.',
  ),
  too_deep: invalid('the body is nested deeper than 64 levels', 'The body is nested deeper than 64 levels.'),
  too_many_keys: invalid('the body has more than 20,000 keys', 'The body has more than 20000 keys.'),
  invalid: invalid(
    'body, query or header; `errors` names each field',
    'What was sent is not valid: colour: is not a known field',
    [{ path: 'colour', message: 'is not a known field' }],
  ),
  invalid_input: invalid(
    "the input does not fit the template's schema",
    'The input is not what the template expects: input.request: is required',
    [{ path: 'input.request', message: 'is required' }],
  ),
  invalid_template: invalid(
    'the template is wrong in itself',
    'The template house/triage@1 is not valid: phases[0].agent.role: there is no role reviewer',
    [{ path: 'phases[0].agent.role', message: 'there is no role reviewer' }],
  ),
  plan_too_large: invalid(
    "the template's plan is larger than 32 KB",
    'The plan of house/triage@1 has 40210 bytes; at most 32768 are allowed.',
  ),
  binding_failed: invalid(
    'no personas fit the roles, or an override does not',
    'The roles cannot be bound: bindings.reviewer: there is no persona house/ann@1',
    [{ path: 'bindings.reviewer', message: 'there is no persona house/ann@1' }],
  ),
  missing_key: invalid(
    "personas would fit if a provider's key were set; the message names the variable",
    'The roles cannot be bound: roles.reviewer: set OPENROUTER_API_KEY, or run devflow login openrouter',
    [{ path: 'roles.reviewer', message: 'set OPENROUTER_API_KEY, or run devflow login openrouter' }],
  ),
  not_a_repository: invalid('`workspace.repo` is no git repository', '/srv/app is not a git repository.', [
    { path: 'workspace.repo', message: 'is not a git repository' },
  ]),
  bad_idempotency_key: invalid(
    'not 1 to 255 printable ASCII characters',
    'An Idempotency-Key has 1 to 255 printable ASCII characters.',
    [{ path: 'Idempotency-Key', message: 'expected 1 to 255 printable ASCII characters' }],
  ),
  bad_cursor: invalid('the cursor is not one of this list or stream', 'The cursor is not one of this list.', [
    { path: 'cursor', message: 'expected the nextCursor of a page of this list' },
  ]),
  changes_not_allowed: invalid('the gate takes approve or reject', 'The gate takes approve or reject.'),
  not_a_budget_gate: invalid(
    '`raiseToMicroUsd` on a gate that raises no budget',
    'This gate raises no budget.',
    [{ path: 'raiseToMicroUsd', message: 'only a budget gate takes it' }],
  ),
  raise_too_low: invalid(
    '`raiseToMicroUsd` is not above the limit that the gate asks about, or comes with a rejection',
    'That raises no limit: give more than the limit in money that the gate asks about.',
    [{ path: 'raiseToMicroUsd', message: 'expected more than the limit in money, to approve' }],
  ),
  unknown_phase: invalid(
    '`fromPhase` is no top-level phase of the run',
    'fromPhase is inside drafts: fork from drafts.',
    [{ path: 'fromPhase', message: 'is inside drafts: fork from drafts' }],
  ),
  hash_required: invalid(
    'the gate requires `subjectHash`',
    'The gate requires the subjectHash of what you looked at.',
    [{ path: 'subjectHash', message: 'is required' }],
  ),
  invalid_entry: invalid(
    'an entry of a change of the registry is wrong; `errors` names every fault',
    'changes[0].entry.phases[2].gate.deadline: expected a duration such as PT30S or P3D',
    [
      {
        path: 'changes[0].entry.phases[2].gate.deadline',
        message: 'expected a duration such as PT30S or P3D',
      },
    ],
  ),
  breaks_template: invalid(
    'a template that is not part of the change would no longer compile',
    'acme:release-note@1 would no longer compile: artifacts.note.schema: there is no schema acme:note@1',
    [
      {
        path: 'entries[acme:release-note@1].artifacts.note.schema',
        message: 'there is no schema acme:note@1',
      },
    ],
  ),
  invalid_range: invalid(
    'a range of times ends before it begins, is in the time to come, or holds too many times',
    'The range is not valid: to: it is before `from`.',
  ),
  invalid_schedule: invalid(
    'a time or an expression of a schedule is wrong; `errors` names each',
    'The schedule is not valid: spec.cron.0: hour: 24 is not from 0 to 23',
  ),
  invalid_trigger: invalid(
    'an expression of a trigger is wrong; `errors` names each',
    `The trigger is not valid: match: \${{ event.data.total > }}: unexpected end`,
    [{ path: 'match', message: `\${{ event.data.total > }}: unexpected end` }],
  ),
  unstorable: invalid(
    'a value that Postgres cannot hold',
    'The request holds a value that cannot be stored.',
  ),
  unauthenticated: refused('a token is missing, false, revoked or expired', 'The token is not valid.'),
  scope_missing: refused(
    'the token lacks the scope that this takes; the message names it',
    'This takes the scope runs:write, which the token does not have.',
  ),
  host_refused: refused('not under that host name', 'This API does not answer under that host name.'),
  origin_refused: refused('not from that origin', 'Calls from that origin are refused.'),
  workspace_outside_roots: refused(
    'the repository lies outside the workspace roots',
    'The repository /srv/app lies outside the folders the API was told of (DEVFLOW_WORKSPACE_ROOTS).',
  ),
  not_approver: refused(
    'the caller is not an approver of the gate, has handed that on, or would approve their own work',
    'Only role:lead may decide the gate approve.',
  ),
  not_found: missing('no such path', 'There is nothing at /v1/run.'),
  run_not_found: missing('no such run', `There is no run ${RUN_ID}.`),
  run_deleted: missing('the run was deleted', `Run ${RUN_ID} was deleted.`),
  template_not_found: missing('no such template', 'There is no template house/triage@1.'),
  gate_not_found: missing('no such gate, or not yet', 'The run has no gate approve, or not yet.'),
  artifact_not_found: missing('no such artifact, or not yet', 'The run has no such artifact, or not yet.'),
  entry_not_found: missing('no such entry', 'There is no entry acme:note@2.'),
  schedule_not_found: missing('no such schedule', 'There is no schedule weekday-review.'),
  trigger_not_found: missing('no such trigger', 'There is no trigger large-orders.'),
  token_not_found: missing(
    'no such token, or not yours',
    'There is no token 01985f2e-9c4e-7a10-b3d1-0a2b3c4d5e6f.',
  ),
  tenant_not_found: missing('no such tenant', 'There is no tenant acme.'),
  webhook_not_found: missing('no such webhook', 'There is no webhook chat.'),
  version_not_found: missing('the registry has no such version', 'The registry has no version 12.'),
  method_not_allowed: invalid('see `Allow`', 'PUT is not allowed here: use POST, GET, HEAD.'),
  idempotency_key_in_use: conflict(
    'the first request under the key is still under way',
    'The first request under this Idempotency-Key is still under way.',
  ),
  run_over: conflict('the run has finished', 'The run has finished: nothing to cancel.'),
  run_not_over: conflict(
    'only a finished run can be deleted',
    'Only a finished run can be deleted: cancel it first.',
  ),
  workspace_busy: conflict(
    'another run has the exclusive workspace; the message names it',
    'Run 01985f2e-7a3b-7c4d-8e5f-60718293a4b5 works on this repository and base, and holds it until it is over: wait for it, or cancel it.',
  ),
  run_compensated: conflict(
    'what it had done has been undone: it cannot be retried, but forked or submitted again',
    'What this run had done has been undone: it cannot go on. Fork it, or submit it again.',
  ),
  phase_not_reached: conflict(
    'a phase before `fromPhase` is not done; the message names it',
    `Phase spec of run ${RUN_ID} comes before it and is not done: fork from spec or a phase before it, or wait.`,
  ),
  run_compensating: conflict(
    'what the run had done is being undone: it can be forked once that is over',
    'What this run had done is being undone: fork it once that is over.',
  ),
  entries_changed: conflict(
    'the registry has entries of the run no more as they were pinned, so that it cannot be bound anew; `errors` names each part',
    'The run was made of entries that the registry has no more as they were: phases.spec: is not what it was when the run was submitted. Fork it without bindings, or submit house/triage@1 anew.',
  ),
  run_not_failed: conflict('only a failed run can be retried', 'Only a run that has failed can be retried.'),
  gate_closed: conflict('the decision came too late', 'The gate approve is closed.'),
  decided_otherwise: conflict(
    'the same principal has decided otherwise',
    'You have decided this gate otherwise.',
  ),
  rounds_exhausted: conflict(
    'the run has gone back from the gate as often as it may',
    'The run has gone back from this gate as often as it may: approve or reject.',
  ),
  decided_already: conflict(
    'that seat, or whoever would get it, has decided already',
    'That seat, or whoever would get it, has decided already at this gate.',
  ),
  delegation_circle: conflict(
    'they decide in the place of somebody who has named them, in turn',
    'They have named you to decide in their place: that would go round in a circle.',
  ),
  subject_changed: conflict(
    'the subject is not what you looked at',
    'The subject has changed since you looked at it: read the gate again.',
  ),
  entry_exists: {
    kind: 'ALREADY_EXISTS',
    meaning: 'an entry of that id is there already',
    detail: 'changes[0].entry.id: acme:note@1 is there already.',
  },
  immutable_entry: conflict(
    'a `name@version` has one content for ever, also once it is deleted',
    'changes[0].entry.id: acme:note@1 has a version, so its content never changes: give what is new the next version.',
  ),
  read_only_entry: conflict(
    'the entry comes from a folder of the server and is changed there',
    'changes[0].entry.id: dev/spec@1 comes from a folder of the server: it is changed there, not over HTTP.',
  ),
  stale_base: conflict(
    'the registry has changed since `baseVersion`',
    'The registry is at version 8, not 7: look again, then send the change anew.',
  ),
  no_report: conflict('the run has no report, or not yet', 'There is no report of this run, or not yet.'),
  body_too_large: invalid('over 1 MB', 'The body is larger than 1048576 bytes.'),
  unsupported_media_type: invalid(
    'the body is not `application/json`',
    'A body must be application/json, in UTF-8.',
  ),
  idempotency_key_reused: invalid(
    'another method, path or body under the key',
    'This Idempotency-Key came with another request.',
  ),
  internal: {
    kind: 'INTERNAL',
    meaning: "a defect; the API's log has it under the `traceId`",
    detail: 'Something went wrong inside Devflow. The log of the API says what, under this traceId.',
  },
  database_away: {
    kind: 'UNAVAILABLE',
    meaning: 'Postgres does not answer; what was asked may have been taken',
    detail:
      'The database does not answer. What was asked may still have been taken: repeat it with its Idempotency-Key.',
  },
  database_busy: {
    kind: 'UNAVAILABLE',
    meaning: 'Postgres took too long; nothing was kept',
    detail: 'The database took too long. Nothing of this request was kept.',
  },
  not_ready: {
    kind: 'UNAVAILABLE',
    meaning: '`/readyz`: `errors` names what is missing',
    detail: 'No worker polls devflow-workflows.',
    errors: [{ path: 'workers', message: 'No worker polls devflow-workflows.' }],
  },
})

export type ProblemCode = keyof typeof PROBLEMS

/** The problem of a code as the OpenAPI document shows it. */
export function exampleOf(code: ProblemCode): Problem {
  const { kind, detail, errors } = PROBLEMS[code]
  const failure = { kind, code, status: statusOf(kind, code), detail, errors }
  return problemOf(failure, { instance: '/v1/runs', traceId: '9ada3795-ca4a-4f75-818e-2a40307ebb88' })
}
