import { DevflowClient } from '@devflow/client'
import { EXIT, exitCodeOf } from '../exit-codes.ts'
import { requireGiven } from '../given-servers.ts'
import { checkOptions } from './check-options.ts'
import { watchDisk } from './disk-watch.ts'
import { endRequests } from './end-requests.ts'
import { type Endpoints, writeEndpoints } from './endpoints.ts'
import { followSample } from './follow-sample.ts'
import { isEmpty, submitSample } from './sample.ts'
import { type StackDeps, startStack } from './stack.ts'
import type { UpOptions } from './up-options.ts'
import { jsonVoice, proseVoice, type Voice } from './voice.ts'
import { withKeptKeys } from './with-kept-keys.ts'

/** A second request ends everything at once; what is still there after so long is the guard's. */
const AT_ONCE_MS = 3_000

/** Runs the stack until it is asked to end, or with `--once` until the sample is over. Answers the exit code. */
export async function runUp(told: UpOptions, deps?: StackDeps): Promise<number> {
  checkOptions(told)
  await requireGiven(told.config, told.words)
  const write = (text: string) => void process.stdout.write(text)
  const writeError = (text: string) => void process.stderr.write(text)
  const { words } = told
  const voice = told.json ? jsonVoice(write) : proseVoice(told, performance.now(), write, writeError)
  const requests = endRequests()

  let running: Endpoints | undefined
  requests.first.then(() => {
    voice.say(running ? words.up.stopping : words.up.stoppingEarly)
    // Half started there is nothing to drain: the guard ends the parts in good order.
    if (!running) process.exit(EXIT.interrupted)
  })
  const options = { ...told, config: await withKeptKeys(told.config, words, voice.warn) }
  const stack = await startStack(
    options,
    {
      onProgress: voice.say,
      onNotice: voice.warn,
      onReady: (endpoints) => {
        writeEndpoints(options.dataDir, endpoints)
        voice.ready(endpoints, running !== undefined)
        running = endpoints
      },
    },
    deps,
  )
  requests.second.then(() => {
    voice.say(words.up.atOnce)
    setTimeout(() => process.exit(EXIT.interrupted), AT_ONCE_MS)
    stack.stop('now').finally(() => process.exit(EXIT.interrupted))
  })

  const unwatchDisk = watchDisk(options.dataDir, voice.say, words)
  const asked = requests.first.then(() => (options.once ? EXIT.interrupted : 0))
  try {
    return await Promise.race([asked, running ? work(options, running, voice) : asked])
  } finally {
    unwatchDisk()
    await stack.stop()
    voice.say(words.up.stopped)
  }
}

/** What `up` does once it is ready: `--once` runs the sample to its end, else it goes on until it is asked to end. */
async function work(options: UpOptions, endpoints: Endpoints, voice: Voice): Promise<number> {
  const { words, config } = options
  const client = new DevflowClient({ baseUrl: endpoints.api, token: options.token })
  const submit = async () => {
    const runId = await submitSample(client, options.cwd, config.hasModelKey)
    voice.sample(runId, endpoints, options.once)
    return runId
  }
  if (!options.once) {
    try {
      if (options.sample && (await isEmpty(client))) await submit()
    } catch (error) {
      voice.say(words.up.sampleFailed(error instanceof Error ? error.message : String(error)))
    }
    return new Promise<number>(() => {})
  }
  const runId = await submit()
  const status = await followSample(client, runId, options.approve, voice, words)
  if (status === 'waiting') return EXIT.waiting
  voice.report(await client.runs.reportMarkdown(runId))
  return exitCodeOf(status)
}
