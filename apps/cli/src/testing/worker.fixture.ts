// Stands in for the worker.
import { supervised } from '@devflow/process'

process.stderr.write(`links lead to ${process.env.DEVFLOW_PUBLIC_URL}\n`)
setInterval(() => {}, 1_000)
supervised({ onStop: () => {} }).ready()
