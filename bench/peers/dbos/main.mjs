// DBOS Transact: a round is `flows` workflows of `steps` empty steps, `flows` at once. Its system database is BENCH_DATABASE_URL.
import { DBOS } from '@dbos-inc/dbos-sdk'
import { answerRounds, inFlight } from './answer-rounds.mjs'

DBOS.setConfig({
  name: 'bench',
  systemDatabaseUrl: process.env.BENCH_DATABASE_URL,
  logLevel: 'error',
  runAdminServer: false,
})
const workflow = DBOS.registerWorkflow(
  async (steps) => {
    for (let i = 0; i < steps; i++) await DBOS.runStep(async () => i, { name: 'step' })
  },
  { name: 'steps' },
)
await DBOS.launch()
answerRounds(
  ({ flows, steps }) => inFlight(flows, flows, () => workflow(steps)),
  () => DBOS.shutdown(),
)
