// Restate: a server with its own store and its defaults, and a service of `steps` empty steps. A round is `flows`
// invocations at once. Folder and ports come in BENCH_FOLDER and BENCH_PORTS (ingress, admin, node, service).
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { setTimeout as pause } from 'node:timers/promises'
import * as restate from '@restatedev/restate-sdk'
import { answerRounds, inFlight } from './answer-rounds.mjs'

const [ingress, admin, node, service] = process.env.BENCH_PORTS.split(',')
const server = createRequire(import.meta.url).resolve(
  `@restatedev/restate-server-${process.platform}-${process.arch}/bin/restate-server`,
)
const child = spawn(server, ['--base-dir', process.env.BENCH_FOLDER, '--node-name', 'bench'], {
  env: {
    PATH: process.env.PATH,
    HOME: process.env.BENCH_FOLDER,
    RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${ingress}`,
    RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${admin}`,
    RESTATE_BIND_ADDRESS: `127.0.0.1:${node}`,
    RESTATE_ADVERTISED_ADDRESS: `http://127.0.0.1:${node}`,
    RESTATE_LOG_FILTER: 'error',
    DO_NOT_TRACK: '1',
  },
  stdio: 'ignore',
})
const ended = once(child, 'exit')
process.on('exit', () => child.kill('SIGKILL'))

const steps = restate.service({
  name: 'bench',
  handlers: {
    steps: async (context, count) => {
      for (let i = 0; i < count; i++) await context.run('step', () => i)
    },
  },
})
restate.serve({ services: [steps], port: Number(service) })

async function post(url, body) {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID() },
    body: JSON.stringify(body),
  })
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`)
  await answer.arrayBuffer()
}

for (let tries = 0; ; tries++) {
  try {
    await post(`http://127.0.0.1:${admin}/deployments`, { uri: `http://127.0.0.1:${service}` })
    break
  } catch (error) {
    if (tries === 300 || child.exitCode !== null) throw error
    await pause(100)
  }
}
answerRounds(
  ({ flows, steps: count }) =>
    inFlight(flows, flows, () => post(`http://127.0.0.1:${ingress}/bench/steps`, count)),
  async () => {
    child.kill('SIGTERM')
    await ended
  },
)
