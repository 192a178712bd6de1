import { giveWay } from '@devflow/local-stack'
import { startNodeChild } from '../node-child.ts'
import type { Supervised } from '../supervise.ts'
import { childEnv } from './child-env.ts'
import type { PartContext } from './part-context.ts'

/** As many workers as asked for. */
export function keepWorkers(context: PartContext, script: string): Promise<Supervised>[] {
  const { options, at, endpoints, keep } = context
  const { workers, config, words } = options
  return Array.from({ length: workers }, (_, index) => {
    const name = `worker-${index + 1}`
    const start = () =>
      startNodeChild({ script, env: childEnv(context), logFile: at.log(name), times: config.times })
    return keep(workers === 1 ? words.up.worker : words.up.workerOf(index + 1), start, (worker) => {
      endpoints.pids.workers[index] = worker.pid
      void giveWay(worker.pid, config.nice)
    })
  })
}
