// The fake as a process of its own, for tests that kill everything else: `node main.ts [port]`.
// Prints one JSON line {"port", "baseURL"}; `GET /_fake/requests[?bodies&session=…]` shows what came, of sessions that begin
// so, and what was billed.
import { startFakeOpenRouter } from './server.ts'

const fake = await startFakeOpenRouter({ port: Number(process.argv[2] ?? 0) })
process.stdout.write(`${JSON.stringify({ port: fake.port, baseURL: fake.baseURL })}\n`)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void fake.close())
