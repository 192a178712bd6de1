// Stands in for the API: an empty database, and a sample run that waits at a gate until it is approved.
import { createServer, type ServerResponse } from 'node:http'
import { supervised } from '@devflow/process'

const RUN = '01a1fcf2-2a01-7f12-88ec-d2e58ece30cc'
const SHA = 'a'.repeat(64)
const at = new Date(0).toISOString()
const gate = {
  ...{ runId: RUN, id: 'approve', phase: 'approve', status: 'open', title: 'Approve the spec?' },
  ...{ subject: [], subjectHash: SHA, quorum: 1, decisions: [], openedAt: at },
}

let reader: ServerResponse | undefined
let seq = 0
const tell = (type: string, phase?: string) => {
  const event = { runId: RUN, seq: ++seq, type, at, phase, key: `k${seq}`, data: {} }
  reader?.write(`id: ${seq}\nevent: ${type}\ndata: ${JSON.stringify(event)}\n\n`)
}

const server = createServer((request, response) => {
  const path = `${request.method} ${request.url}`
  const json = (status: number, body: unknown) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }
  if (path === 'GET /v1/runs?limit=1') return json(200, { items: [] })
  if (path === 'POST /v1/runs') return json(201, { id: RUN, status: 'queued' })
  if (path === `GET /v1/runs/${RUN}`) return json(200, { id: RUN, status: 'running' })
  if (path === `GET /v1/runs/${RUN}/gates`) return json(200, { items: [gate] })
  if (path === `GET /v1/runs/${RUN}/report`) return response.end('# The report\n')
  if (path === `GET /v1/runs/${RUN}/events`) {
    reader = response.writeHead(200, { 'content-type': 'text/event-stream' })
    tell('run.started')
    return tell('gate.opened', 'approve')
  }
  if (path === `POST /v1/runs/${RUN}/gates/approve/decisions`) {
    tell('run.completed')
    reader?.end(`event: end\ndata: {"status":"completed","lastSeq":${seq}}\n\n`)
    return json(200, gate)
  }
  json(404, {})
})
const child = supervised({
  onStop: () => {
    server.closeAllConnections()
    server.close()
  },
})
server.listen(Number(process.env.DEVFLOW_PORT), process.env.DEVFLOW_HOST, () => {
  const address = server.address()
  child.ready(typeof address === 'object' && address ? address.port : undefined)
})
