// Temporal as it is, on the server at BENCH_TEMPORAL_ADDRESS. A round is `flows` workflows of `steps` empty activities one after
// the other, `atOnce` in flight; or, by `ask`, workflows that wait for an update: `wait` starts them, `decide` updates each,
// `end` waits until all are over.
import { Client, Connection } from '@temporalio/client'
import { NativeConnection, Runtime, Worker } from '@temporalio/worker'
import { answerRounds, inFlight } from './answer-rounds.mjs'

const quiet = () => {}
const logger = { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet }
Runtime.install({ logger })
const address = process.env.BENCH_TEMPORAL_ADDRESS
const taskQueue = 'bench'
const connection = await NativeConnection.connect({ address })
const worker = await Worker.create({
  connection,
  taskQueue,
  workflowsPath: new URL('./workflows.mjs', import.meta.url).pathname,
  activities: { step: async () => {} },
})
const running = worker.run()
const client = new Client({ connection: await Connection.connect({ address }) })

/** Handles of the workflows that wait. */
let waiting = []
const play = {
  steps: ({ flows, steps, atOnce }) =>
    inFlight(flows, atOnce, () =>
      client.workflow.execute('steps', { taskQueue, workflowId: crypto.randomUUID(), args: [steps] }),
    ),
  wait: ({ flows, atOnce }) =>
    inFlight(flows, atOnce, async () => {
      const handle = await client.workflow.start('decided', { taskQueue, workflowId: crypto.randomUUID() })
      // Answered by its worker: the first task is done, it waits.
      await handle.query('isDecided')
      waiting.push(handle)
    }),
  decide: ({ atOnce }) => {
    const left = [...waiting]
    return inFlight(left.length, atOnce, () => left.pop().executeUpdate('decide', { args: ['approve'] }))
  },
  end: async () => {
    await Promise.all(waiting.map((handle) => handle.result()))
    waiting = []
  },
}
answerRounds(
  (round) => play[round.ask ?? 'steps'](round),
  async () => {
    worker.shutdown()
    await running
  },
)
