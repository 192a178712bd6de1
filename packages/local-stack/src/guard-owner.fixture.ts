// Starts two services, has one of them forgotten, and tells their process numbers.
import { forget } from './guard.ts'
import { startService } from './service.ts'

const sleeping = () =>
  startService({
    command: 'sleep',
    args: ['60'],
    env: { PATH: process.env.PATH },
    logFile: '/dev/null',
    stopSignal: 'SIGTERM',
  })
const [watched, forgotten] = [await sleeping(), await sleeping()]
forget(forgotten.pid)
process.stdout.write(`${watched.pid} ${forgotten.pid}`)
setInterval(() => {}, 1_000)
