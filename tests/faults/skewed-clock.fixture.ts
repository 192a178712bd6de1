// Loaded before the parts of a stack under test: their wall clock is off by as many ms as a file says, and jumps when it is
// written. Timers run on, as they do where a real clock is set.
import { readFileSync } from 'node:fs'

const LOOK_MS = 100
const file = process.env.DEVFLOW_FAULTS_CLOCK
const RealDate = Date
let offset = 0

function look(): void {
  try {
    offset = Number(readFileSync(file ?? '', 'utf8')) || 0
  } catch {
    offset = 0 // Nobody has set a clock yet.
  }
}

if (file !== undefined) {
  look()
  setInterval(look, LOOK_MS).unref()
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args, self) =>
      Reflect.construct(
        target,
        args.length === 0 ? [RealDate.now() + offset] : args,
        self === Date ? target : self,
      ),
    get: (target, name) => (name === 'now' ? () => target.now() + offset : Reflect.get(target, name)),
    apply: () => new Date().toString(),
  })
}
