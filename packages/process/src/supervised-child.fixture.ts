// A child for supervised.test.ts. Its arguments: how long its drain takes (ms), and its drain time.
import { supervised } from './supervised.ts'

const [takes = '0', drainMs = '30000'] = process.argv.slice(2)
const child = supervised({
  drainMs: Number(drainMs),
  onStop: async (reason) => {
    console.log(`stopping ${reason}`)
    await new Promise((resolve) => setTimeout(resolve, Number(takes)))
    console.log('stopped')
  },
})
setInterval(() => {}, 1000)
process.on('message', (message) => {
  if (message === 'tell') child.notice('something is odd')
})
child.ready(4711)
