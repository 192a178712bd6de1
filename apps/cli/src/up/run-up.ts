import { createApi } from '../api/http.ts'
import { EXIT, exitCodeOf } from '../exit-codes.ts'
import { watchDisk } from './disk-watch.ts'
import { endRequests } from './end-requests.ts'
import { type Endpoints, writeEndpoints } from './endpoints.ts'
import { followSample, reportOf } from './follow-sample.ts'
import { isEmpty, submitSample } from './sample.ts'
import { type StackDeps, startStack } from './stack.ts'
import type { UpOptions } from './up-options.ts'
import { jsonVoice, proseVoice, type Voice } from './voice.ts'

/** What a shell reports for a process that Ctrl-C ended. */
const INTERRUPTED = 130

/** A second request ends everything at once; what is still there after so long is the guard's. */
const AT_ONCE_MS = 3_000

/** Runs the stack until it is asked to end, or with `--once` until the sample is over. Answers the exit code. */
export async function runUp(options: UpOptions, deps?: StackDeps): Promise<number> {
  const write = (text: string) => void process.stdout.write(text)
  const voice = options.json ? jsonVoice(write) : proseVoice(options.dataDir, Date.now(), write)
  const requests = endRequests()

  let running: Endpoints | undefined
  requests.first.then(() => {
    voice.say(
      running ? 'Stopping: work under way is brought to a safe end. Once more to stop at once.' : 'Stopping.',
    )
    // Half started there is nothing to drain: the guard ends the parts in good order.
    if (!running) process.exit(INTERRUPTED)
  })
  const stack = await startStack(
    options,
    {
      onProgress: voice.say,
      onReady: (endpoints) => {
        writeEndpoints(options.dataDir, endpoints)
        voice.ready(endpoints, running !== undefined)
        running = endpoints
      },
    },
    deps,
  )
  requests.second.then(() => {
    voice.say('Stopping at once.')
    setTimeout(() => process.exit(INTERRUPTED), AT_ONCE_MS)
    stack.stop('now').finally(() => process.exit(INTERRUPTED))
  })

  const unwatchDisk = watchDisk(options.dataDir, voice.say)
  const asked = requests.first.then(() => (options.once ? INTERRUPTED : 0))
  try {
    return await Promise.race([asked, running ? work(options, running, voice) : asked])
  } finally {
    unwatchDisk()
    await stack.stop()
    voice.say('Stopped.')
  }
}

/** What `up` does once it is ready: `--once` runs the sample to its end, else it goes on until it is asked to end. */
async function work(options: UpOptions, endpoints: Endpoints, voice: Voice): Promise<number> {
  const api = createApi(endpoints.api, options.config.token)
  const submit = async () => {
    const runId = await submitSample(api, options.cwd, options.config.hasModelKey)
    voice.sample(runId, endpoints, options.once)
    return runId
  }
  if (!options.once) {
    try {
      if (options.sample && (await isEmpty(api))) await submit()
    } catch (error) {
      voice.say(`The sample run was not submitted: ${error instanceof Error ? error.message : String(error)}`)
    }
    return new Promise<number>(() => {})
  }
  const runId = await submit()
  const status = await followSample(api, runId, options.approve, voice)
  if (status === 'waiting') return EXIT.waiting
  voice.report(await reportOf(api, runId))
  return exitCodeOf(status)
}
