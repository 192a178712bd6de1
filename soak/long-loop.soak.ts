// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is what expressions look like
import { setTimeout as pause } from 'node:timers/promises'
import { TEMPORAL } from '@devflow/contracts'
import { Client, Connection } from '@temporalio/client'
import { expect, test } from 'vitest'
import { collectGarbage } from '../bench/collect-garbage.ts'
import { cpuMs, residentMb } from '../bench/cpu.ts'
import { call, expectTrueProjections } from '../tests/crash/runs.ts'
import { Stack } from '../tests/crash/stack.ts'

const ITERATIONS = Number(process.env.DEVFLOW_LOOP_ITERATIONS ?? 10_000)
/** The second tenth and the last are compared: in the first, caches fill and code is compiled. */
const TENTH = ITERATIONS / 10
const LOOK_MS = 500

/** A function each time, and each tenth time an agent, whose artifact gets a version more. */
const LOOP = [
  {
    kind: 'template',
    id: 'soak/loop@1',
    title: 'A long loop',
    roles: { writer: { persona: 'soak/writer@1' } },
    artifacts: { note: { schema: 'soak/note@1' } },
    phases: [
      {
        id: 'loop',
        cycle: {
          max: ITERATIONS + 1,
          until: `\${{ iteration >= ${ITERATIONS} && phases.count.output.n >= ${ITERATIONS} }}`,
          phases: [
            {
              id: 'write',
              when: '${{ iteration % 10 == 0 }}',
              agent: { role: 'writer', prompt: 'Write ${{ iteration }}.', produces: 'note' },
            },
            { id: 'count', function: { name: 'soak/count@1', input: { n: '${{ iteration }}' } } },
          ],
        },
      },
    ],
    output: { last: '${{ phases.loop.output }}', note: '${{ artifacts.note }}' },
  },
  {
    kind: 'function',
    id: 'soak/count@1',
    effects: 'none',
    source: 'export default async function (input: { n: number }) { return { n: input.n } }',
  },
  { kind: 'schema', id: 'soak/note@1', schema: { type: 'object', required: ['text'] } },
  {
    kind: 'persona',
    id: 'soak/writer@1',
    model: {
      provider: 'scripted',
      name: 'writer',
      script: {
        turns: [{ reply: 'Done.', toolCalls: [{ name: 'complete', arguments: { content: { text: 'a' } } }] }],
      },
    },
    tools: ['complete'],
  },
]

interface Sample {
  iteration: number
  at: number
  /** Of all processes of the stack. */
  cpuMs: number
}

test(`a cycle of ${ITERATIONS} iterations costs the same at its end, and no history is long`, async () => {
  const stack = await Stack.start({ workers: 1 })
  try {
    const run = await submitLoop(stack)
    const samples: Sample[] = []
    const memoryMb: number[] = []
    let status = 'running'
    while (!['completed', 'failed', 'canceled'].includes(status)) {
      await pause(LOOK_MS)
      const { rows } = await stack.pool.query<{ status: string; opened: number }>(
        `select r.status, p.opened from devflow.runs r join devflow.phases p on p.run_id = r.id and p.id = 'loop' where r.id = $1`,
        [run],
      )
      const [row] = rows
      if (!row) throw new Error('the run is gone')
      status = row.status
      samples.push({ iteration: row.opened, at: performance.now(), cpuMs: cpuOf(stack) })
      if (row.opened >= TENTH * (memoryMb.length + 1)) memoryMb.push(await workerMb(stack))
    }
    const view = (await (await call(stack, `/v1/runs/${run}`)).json()) as { status: string; output?: unknown }
    expect(view).toMatchObject({
      status: 'completed',
      output: { last: { n: ITERATIONS }, note: { text: 'a' } },
    })

    const [second, last] = [cost(samples, TENTH, 2 * TENTH), cost(samples, ITERATIONS - TENTH, ITERATIONS)]
    const histories = await lengthsOfHistories(stack, run)
    const figures = {
      iterations: ITERATIONS,
      msEach: { second: second.ms / TENTH, last: last.ms / TENTH },
      cpuMsEach: { second: second.cpuMs / TENTH, last: last.cpuMs / TENTH },
      executions: histories.length,
      longestHistory: Math.max(...histories),
      workerMb: memoryMb.map(Math.round),
    }
    process.stdout.write(`${JSON.stringify(figures)}\n`)
    expect(figures.longestHistory).toBeLessThan(10_000)
    // By processor time, all processes together: the clock's time is also that of whoever else is on the machine.
    expect(last.cpuMs / second.cpuMs).toBeLessThanOrEqual(1.3)
    const [, early = 0] = memoryMb
    expect(memoryMb.at(-1)).toBeLessThanOrEqual(early * 1.1)
    await expectTrueProjections(stack)
  } finally {
    await stack.close()
  }
}, 3_600_000)

async function submitLoop(stack: Stack): Promise<string> {
  const changes = LOOP.map((entry) => ({ op: 'create', entry }))
  const registered = await call(stack, '/v1/registry/changes', {
    method: 'POST',
    body: JSON.stringify({ changes }),
  })
  if (registered.status !== 200) throw new Error(await registered.text())
  const answer = await call(stack, '/v1/runs', {
    method: 'POST',
    body: JSON.stringify({ template: 'soak/loop@1', input: {} }),
  })
  const text = await answer.text()
  if (answer.status !== 201) throw new Error(text)
  return (JSON.parse(text) as { id: string }).id
}

function cpuOf({ ready: { pids } }: Stack): number {
  return cpuMs([pids.api, pids.temporal, pids.postgres, ...pids.workers])
}

async function workerMb({ ready: { pids } }: Stack): Promise<number> {
  const [worker = 0] = pids.workers
  await collectGarbage(worker)
  return residentMb(worker)
}

/** What the iterations from one to another took, of the clock and of the processors. */
function cost(samples: readonly Sample[], from: number, to: number): { ms: number; cpuMs: number } {
  const [first, end] = [atIteration(samples, from), atIteration(samples, to)]
  return { ms: end.at - first.at, cpuMs: end.cpuMs - first.cpuMs }
}

/** How things stood at an iteration, between the looks before and after it. */
function atIteration(samples: readonly Sample[], iteration: number): Sample {
  const after = samples.find((sample) => sample.iteration >= iteration)
  const before = samples.findLast((sample) => sample.iteration <= iteration)
  if (!after || !before) throw new Error(`nothing was seen about iteration ${iteration}`)
  const share =
    after.iteration === before.iteration
      ? 0
      : (iteration - before.iteration) / (after.iteration - before.iteration)
  return {
    iteration,
    at: before.at + share * (after.at - before.at),
    cpuMs: before.cpuMs + share * (after.cpuMs - before.cpuMs),
  }
}

/** Of each execution of a run. */
async function lengthsOfHistories(stack: Stack, run: string): Promise<number[]> {
  const connection = await Connection.connect({ address: stack.ready.temporalAddress })
  try {
    const client = new Client({ connection })
    const workflowId = TEMPORAL.workflowId(run)
    await client.workflow.getHandle(workflowId).result()
    const lengths: number[] = []
    for await (const { runId } of client.workflow.list({ query: `WorkflowId = '${workflowId}'` }))
      lengths.push((await client.workflow.getHandle(workflowId, runId).describe()).historyLength)
    return lengths
  } finally {
    await connection.close()
  }
}
