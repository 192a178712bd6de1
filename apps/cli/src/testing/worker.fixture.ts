// Stands in for the worker.
import { supervised } from '@devflow/process'

setInterval(() => {}, 1_000)
supervised({ onStop: () => {} }).ready()
