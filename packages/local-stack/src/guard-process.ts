// The guard: a process of its own that outlives its parent by a moment. It learns on stdin which processes the parent
// has started; when stdin ends, because the parent is gone, by kill -9 too, it ends those that are left.
// Argument: how long they may take, in ms. Lines: `watch <pid> <signal>` and `forget <pid>`.
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive, signalIfAlive } from './processes.ts'

const GRACE_MS = Number(process.argv[2] ?? 8_000)
const LOOK_MS = 20

const watched = new Map<number, NodeJS.Signals>()

// A terminal's Ctrl-C or a service manager's SIGTERM is for the parent, which says what is to end and when.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})

for await (const line of createInterface({ input: process.stdin })) {
  const [verb, pid, signal] = line.split(' ')
  if (verb === 'watch') watched.set(Number(pid), signal as NodeJS.Signals)
  if (verb === 'forget') watched.delete(Number(pid))
}

for (const [pid, signal] of watched) signalIfAlive(pid, signal)
const left = () => [...watched.keys()].filter(isAlive)
for (let waited = 0; waited < GRACE_MS && left().length > 0; waited += LOOK_MS) await sleep(LOOK_MS)
for (const pid of left()) signalIfAlive(pid, 'SIGKILL')
process.exit(0)
