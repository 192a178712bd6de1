import { rm } from 'node:fs/promises'
import type { FakeReply, FakeRequest, ScenarioName } from '@devflow/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { smallRepository } from '../support/repository.ts'
import { eventsOf, type Standing } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'
import { agentTemplate, NOTE } from '../support/templates.ts'

/**
 * What sessions make of the oddities that packages/activities/src/models/quirks shows to the adapter, by the same numbers:
 * no paid answer is lost, none hangs, and none is silently taken for success.
 */
const stack = useStack({ OPENROUTER_STALL_MS: '1000', DEVFLOW_CALL_PATIENCE_MS: '1500' })

type Part = (request: FakeRequest) => FakeReply
const fine: FakeReply = { content: 'All is well.' }
const note: FakeReply = { content: JSON.stringify(NOTE) }
/** The oddity for the first call of the session; then `after`. */
const first =
  (scenario: FakeReply['scenario'], after: FakeReply = fine): Part =>
  ({ nInSession }) =>
    nInSession === 1 ? { scenario } : after
/** `after` once the oddity was answered: a request repeated is answered the same. */
const turns =
  (scenario: ScenarioName, after: FakeReply = fine): Part =>
  ({ messages }) =>
    messages.some(({ role }) => role === 'assistant') ? after : { scenario }

/** Refused in the next turn unless its reasoning comes back, out of the log, as it was. */
const replaying =
  (scenario: ScenarioName, mark: RegExp): Part =>
  ({ messages }) => {
    const said = messages.find(({ role }) => role === 'assistant')
    if (!said) return { scenario }
    return mark.test(JSON.stringify(said.reasoning_details ?? null)) ? fine : { scenario: '400_upstream' }
  }

interface Quirk {
  part: Part
  /** The phase has to produce a note. */
  produces?: true
  /** Models called, as many as these. */
  calls: number
  end: 'completed' | { code: string }
  /** The stand-in keeps no books of it. */
  unbooked?: true
  shows?: (run: Standing, requests: FakeRequest['messages'][]) => void
}

const completed = (part: Part, calls: number, shows?: Quirk['shows']): Quirk => ({
  part,
  calls,
  end: 'completed',
  ...(shows ? { shows } : {}),
})
const fails = (part: Part, calls: number, code: string): Quirk => ({ part, calls, end: { code } })
const rejected =
  (message: RegExp): Quirk['shows'] =>
  (run) =>
    expect(JSON.stringify(eventsOf(run, 'artifact.rejected').map(({ data }) => data.errors))).toMatch(message)
const notRun =
  (answer: RegExp): Quirk['shows'] =>
  (_, requests) =>
    expect(requests.at(-1)?.findLast(({ role }) => role === 'tool')?.content).toMatch(answer)

/** Each tool ran once, in this order, and its result went back to its own call. */
const ran =
  (...results: RegExp[]): Quirk['shows'] =>
  (run, requests) => {
    const called = eventsOf(run, 'tool.called').map(({ data }) => data.id)
    const completions = eventsOf(run, 'tool.completed')
    expect(completions.map(({ data }) => data.id)).toEqual(called)
    expect(completions).toHaveLength(results.length)
    for (const [n, { data }] of completions.entries()) expect(data.content).toMatch(results[n] ?? /nothing/)
    const told = requests.at(-1)?.filter(({ role }) => role === 'tool')
    expect(told?.map(({ tool_call_id: id }) => id)).toEqual(called)
  }
const README = /Adds two numbers/
/** There is no package.json. */
const MISSING = /package\.json/

const QUIRKS: Record<string, Quirk> = {
  '1 happy_text': completed(first('happy_text'), 1),
  '7 usage_missing': completed(first('usage_missing'), 1),
  '8 generation_never': completed(first('generation_never'), 1),
  '9 tool_single_fragments': completed(turns('tool_single_fragments'), 2, ran(README)),
  '10 tool_parallel_two': completed(turns('tool_parallel_two'), 2, ran(README, MISSING)),
  '11 tool_interleaved': completed(turns('tool_interleaved'), 2, ran(README, MISSING)),
  '12 tool_same_index': completed(turns('tool_same_index'), 2, ran(README, MISSING)),
  '13 tool_no_index_no_id': completed(turns('tool_no_index_no_id'), 2, ran(README, MISSING)),
  '15 tool_args_object': completed(turns('tool_args_object'), 2, ran(README)),
  '14 tool_args_empty': completed(turns('tool_args_missing'), 2, notRun(/path/)),
  '16 tool_args_scalar': completed(turns('tool_args_scalar'), 2, notRun(/object|path/)),
  '17 tool_args_bad_json': completed(turns('tool_args_bad_json'), 2, (run, requests) => {
    notRun(/JSON/)?.(run, requests)
    expect(eventsOf(run, 'tool.called')[0]?.data.args).toBe('{"path": "READ')
  }),
  '18 tool_trunc_length': completed(turns('tool_trunc_length'), 2, notRun(/Not executed.*token limit/)),
  '19 tool_trunc_mislabelled': completed(turns('tool_trunc_mislabelled'), 2, notRun(/Not executed/)),
  '20 tool_trailing_ws': completed(turns('tool_trailing_ws'), 2, ran(README)),
  '21 tool_finish_stop': completed(turns('tool_finish_stop'), 2, ran(README)),
  '21 tool_finish_stop (null)': completed(turns('tool_finish_null'), 2, ran(README)),
  '22 tool_in_text': completed(first('tool_in_text'), 2, rejected(/call of read_file written as text/)),
  '22 tool_in_text (JSON)': completed(first('tool_in_text_json'), 2, rejected(/written as text/)),
  '22 tool_in_text (again and again)': fails(() => ({ scenario: 'tool_in_text' }), 2, 'artifact_invalid'),
  '23 tool_unknown_name': completed(turns('tool_unknown_name'), 2, notRun(/no tool `launch_rocket`/)),
  '24 kimi_repeat_ids': completed(
    ({ messages }) =>
      messages.filter(({ role }) => role === 'assistant').length < 3 ? { scenario: 'kimi_repeat_ids' } : fine,
    4,
    ran(README, README, README),
  ),
  '26 claude_signature': completed(replaying('claude_signature', /EqQB\/\+é=/), 2),
  '27 gemini_encrypted': completed(
    replaying('gemini_encrypted', /"data":"AbC\+\/=","id":"tool_read_file_x1"/),
    2,
  ),
  '29 reasoning_only': completed(first('reasoning_only'), 2, rejected(/empty/)),
  '31 think_tags': { ...completed(first('think_tags'), 1), produces: true },
  '32 json_fenced': { ...completed(first('json_fenced'), 1), produces: true },
  '33 json_whitespace_run': { ...completed(first('json_whitespace_run', note), 2), produces: true },
  '34 err_first_event': completed(first('err_first_event'), 2),
  '35 err_after_text': completed(first('err_after_text'), 2, (run) =>
    expect(run.phases.work?.output).toEqual({ text: 'All is well.' }),
  ),
  '36 err_no_code': completed(first('err_no_code'), 2),
  '37 err_midstream_400': fails(first('err_midstream_400'), 1, 'context_length_exceeded'),
  '38 err_after_length': completed(first('err_after_length'), 2, rejected(/cut off at the token limit/)),
  '39 eof_no_done_partial': completed(first('eof_no_done_partial'), 2),
  '40 eof_no_done_complete': completed(first('eof_no_done_complete'), 1),
  '41 rst_mid_tool': completed(first('rst_mid_tool'), 2, (run) =>
    expect(eventsOf(run, 'tool.called')).toEqual([]),
  ),
  '42 stall_comments': completed(first('stall_comments'), 2),
  '44 nonstream_ws': { ...completed(first('nonstream_ws'), 1), unbooked: true },
  '45 nonstream_ws_only': completed(first('nonstream_ws_only'), 2),
  '46 ok200_error_body': completed(first('ok200_error_body'), 2),
  '47 choice_error': completed(first('choice_error'), 2),
  '48 empty_stop': completed(first('empty_stop'), 2, rejected(/empty/)),
  '48 empty_stop (again and again)': fails(() => ({ scenario: 'empty_stop' }), 2, 'artifact_invalid'),
  '49 429_retry_after': completed(first('429_retry_after'), 2, (run) => {
    const [one, two] = eventsOf(run, 'call.reserved').map(({ at }) => at.getTime())
    expect((two ?? 0) - (one ?? 0)).toBeGreaterThanOrEqual(2_000)
  }),
  '49 429_daily': fails(first('429_daily'), 1, 'provider_daily_limit'),
  '50 402 (afford)': completed(
    ({ body }) => ((body.max_tokens ?? 0) > 100 ? AFFORDS_100 : fine),
    2,
    (run) => expect(eventsOf(run, 'model.fallback')).toEqual([]),
  ),
  '50 402_in_flight': completed(first('402_in_flight'), 2),
  '50 402_key_limit': fails(first('402_key_limit'), 1, 'provider_key_limit'),
  '50 402_weight': fails(first('402_weight'), 1, 'provider_credits_exhausted'),
  '51 403_moderation': fails(first('403_moderation'), 1, 'provider_moderation'),
  '51 401': fails(first('401'), 1, 'provider_unauthorized'),
  '51 404_tools': fails(first('404_tools'), 1, 'provider_model_not_found'),
  '52 503_availability': fails(first('503_availability'), 1, 'provider_unavailable'),
  '53 html_502': completed(first('html_502'), 2),
  '53 524': completed(first('524'), 2),
  '54 model_fallback': completed(
    () => ({ ...fine, modelUsed: 'qwen/qwen3-coder-480b', cost: '0.001' }),
    1,
    (run) =>
      expect(eventsOf(run, 'call.settled')[0]?.data).toMatchObject({
        modelUsed: 'qwen/qwen3-coder-480b',
        costMicroUsd: 1_000,
        costSource: 'provider',
      }),
  ),
  '60 replay_guard': completed(first('eof_no_done_partial'), 2),
}

const AFFORDS_100: FakeReply = {
  error: {
    status: 402,
    body: {
      error: {
        code: 402,
        message:
          'This request requires more credits, or fewer max_tokens. You requested up to 500 tokens, but can only afford 100.',
      },
    },
  },
}

let repo = ''
beforeAll(async () => {
  repo = await smallRepository()
  stack.fake.script((request) => {
    const name = /\[\[(.+?)\]\]/.exec(request.messages.find(({ role }) => role === 'user')?.content ?? '')
    return QUIRKS[name?.[1] ?? '']?.part(request) ?? fine
  })
})

afterAll(() => rm(repo, { recursive: true, force: true }))

interface Row {
  generation_id: string | null
  status: string
  cost: number | null
  reserved: number
}

describe.concurrent('a session comes through', () => {
  test.each(Object.entries(QUIRKS))('%s', async (name, { produces, calls, end, unbooked, shows }) => {
    const template = agentTemplate(`[[${name}]] Work.`, { ...(produces ? { produces } : {}) })
    const run = await stack.finish(template, { workspace: { repo } })
    if (end === 'completed') expect(run.error).toBeNull()
    else expect(run.error).toMatchObject(end)
    const requests = stack.fake.requests.filter(({ session }) => session.startsWith(run.id))
    expect(requests).toHaveLength(calls)
    shows?.(
      run,
      requests.map(({ body }) => body.messages),
    )

    // Each call has its row, and once the provider was asked, or charged by its reservation, each is accounted for (I5).
    const rows = async () => {
      const { rows: all } = await stack.pool.query<Row>(
        `select generation_id, status, cost_micro_usd::float8 as cost, reserved_micro_usd::float8 as reserved
         from devflow.model_calls where run_id = $1 order by turn, call`,
        [run.id],
      )
      return all
    }
    const ledger = await eventually(rows, (all) => all.every(({ cost }) => cost !== null))
    expect(ledger).toHaveLength(calls)
    if (unbooked) return
    for (const [n, { cost, reserved }] of ledger.entries()) {
      const { billedMicroUsd = 0, status = 0 } = requests[n] ?? {}
      expect(cost).toBeGreaterThanOrEqual(billedMicroUsd)
      expect([billedMicroUsd, reserved]).toContain(cost)
      if (status !== 200 && status !== 524) expect(cost).toBe(0)
    }
  })
})
