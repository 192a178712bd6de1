// Temporal as it is: a round is `flows` workflows of `steps` empty activities one after the other, `atOnce` in flight, on
// the server at BENCH_TEMPORAL_ADDRESS.
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
answerRounds(
  ({ flows, steps, atOnce }) =>
    inFlight(flows, atOnce, () =>
      client.workflow.execute('steps', { taskQueue, workflowId: crypto.randomUUID(), args: [steps] }),
    ),
  async () => {
    worker.shutdown()
    await running
  },
)
