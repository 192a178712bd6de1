// DBOS Transact: a round is `flows` workflows of `steps` empty steps, `flows` at once; or, with `streams`, of a step that
// writes `steps` pieces to the workflow's stream. Its system database is BENCH_DATABASE_URL.
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
const stream = DBOS.registerWorkflow(
  (pieces) =>
    DBOS.runStep(
      async () => {
        for (let i = 0; i < pieces; i++) await DBOS.writeStream('tokens', 'and so ')
      },
      { name: 'say' },
    ),
  { name: 'stream' },
)
await DBOS.launch()
answerRounds(
  ({ flows, steps, streams }) => inFlight(flows, flows, () => (streams ? stream : workflow)(steps)),
  () => DBOS.shutdown(),
)
