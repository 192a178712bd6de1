// Plays somebody new: a fresh clone, an empty HOME, and the README from its first command to a decided gate by command line,
// curl and client. What the README shows has to be what comes; what the three ways show has to be the same.
import { deepStrictEqual, fail, ok, strictEqual } from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fencesOf, root, textOf } from '../docs/documents.ts'
import { missingIn, play, type Step, stepsOf } from '../docs/session.ts'
import { Looks, type Views, withoutChance } from './views.ts'

const README = 'README.md'
const PATIENCE_MS = 600_000
const OF_SOMEBODY_ELSE =
  /^(DEVFLOW_|OPENROUTER_|OPENAI_|ANTHROPIC_|GOOGLE_|OTEL_|DATABASE_URL|TEMPORAL_|XDG_|npm_(?!config_registry$))/

const home = mkdtempSync(join(tmpdir(), 'devflow-newcomer-'))
const checkout = join(home, 'devflow')
const env = environment()

/** Nothing of whoever starts this but the way into a network, and the cache folder, unless all is to be downloaded anew. */
function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !OF_SOMEBODY_ELSE.test(name))
  const { DEVFLOW_CACHE } = process.env
  // npm puts the tools of this checkout on the PATH; a newcomer has none.
  const path = process.env.PATH?.split(':').filter((folder) => !folder.includes('node_modules'))
  return {
    ...Object.fromEntries(kept),
    PATH: path?.join(':'),
    HOME: join(home, 'home'),
    ...(process.argv.includes('--fresh') ? {} : { DEVFLOW_CACHE }),
  }
}

const started = performance.now()
const say = (text: string): void => {
  process.stdout.write(`${((performance.now() - started) / 1000).toFixed(0).padStart(4)} s  ${text}\n`)
}

function compare(printed: string, shown: string, at: string): void {
  const missing = missingIn(printed, shown)
  if (missing.length > 0)
    fail(`${at} shows what did not come:\n${missing.join('\n')}\n\nIt printed:\n${printed}`)
}

/** The command of the first run, and what the README shows of it. */
function firstRun(): void {
  const fences = fencesOf(README)
  const at = fences.findIndex(({ text }) => text.includes('npm start -- --once'))
  const command = fences[at]?.text ?? fail('the README has no first run')
  const printed = execFileSync('bash', ['-c', command], { cwd: checkout, env, encoding: 'utf8' })
  compare(printed, fences[at + 1]?.text ?? '', fences[at + 1]?.at ?? README)
}

interface Running {
  api: string
  stop(): Promise<void>
}

/** `npm start` in a process group of its own, as a terminal gives it one. */
async function start(): Promise<Running> {
  const child = spawn('npm', ['start'], {
    cwd: checkout,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'close')
  let printed = ''
  const api = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not ready:\n${printed}`)), PATIENCE_MS)
    child.stdout.on('data', (text) => {
      printed += text
      const address = /^ {2}API +(http:\/\/[\d.:]+)/m.exec(printed)?.[1]
      if (address === undefined || !printed.includes('Ctrl-C')) return
      clearTimeout(timer)
      resolve(address)
    })
    void ended.then(() => reject(new Error(`npm start ended:\n${printed}`)))
  })
  return {
    api,
    stop: async () => {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGINT')
      await ended
      ok(printed.includes('Stopped.'), printed)
    },
  }
}

/** The newest run, as the README's commands leave it. */
async function newest(api: string): Promise<string> {
  const { items } = (await (await fetch(`${api}/v1/runs?limit=1`)).json()) as { items: { id: string }[] }
  return items[0]?.id ?? fail('there is no run')
}

/** Does what the README says, by each way in turn, and answers the run that each has made. */
async function follow(api: string): Promise<Record<string, string>> {
  const runs: Record<string, string> = {}
  const steps = stepsOf(README).map((step) => ({
    ...step,
    command: step.command.replaceAll('http://127.0.0.1:8787', api),
  }))
  const ways: [string, (step: Step) => boolean][] = [
    ['command line', ({ command }) => command.includes('npx devflow')],
    ['curl', ({ command }) => command.includes('curl')],
    ['client', ({ command }) => command.includes('first.ts')],
  ]
  for (const [way, isOfIt] of ways) {
    const before = await newest(api)
    for (const { step, printed } of await play(steps.filter(isOfIt), { cwd: checkout, env, realNpx: true }))
      if (step.shown !== undefined) compare(printed, step.shown, step.at)
    const run = await newest(api)
    ok(run !== before, `${way}: no run was submitted`)
    runs[way] = run
    say(`by ${way}: the commands do what the README shows`)
  }
  return runs
}

function compareWays(api: string, runs: Record<string, string>): void {
  const look = new Looks(checkout, env, api)
  const seen = Object.entries(runs).map(([way, run]): [string, Views] => {
    const views = look.byCurl(run)
    deepStrictEqual(
      look.byCommandLine(run),
      views,
      `the run by ${way}: the command line shows it unlike curl`,
    )
    deepStrictEqual(look.byClient(run), views, `the run by ${way}: the client shows it unlike curl`)
    return [way, views]
  })
  say('each run, its gate and its report are the same by command line, curl and client')
  const [[first, expected] = fail('no run'), ...others] = seen
  for (const [way, views] of others)
    deepStrictEqual(
      withoutChance(views),
      withoutChance(expected),
      `the run by ${way} is unlike that by ${first}`,
    )
  say('the three runs, their gates and their reports are the same but for ids and times')
}

mkdirSync(join(home, 'home'))
try {
  execFileSync('git', ['clone', '-q', root, checkout], { env, stdio: 'inherit' })
  strictEqual(
    readFileSync(join(checkout, README), 'utf8'),
    textOf(README),
    `commit ${README} first: the clone has another`,
  )
  say('cloned')
  firstRun()
  say('the first run does what the README shows')
  const running = await start()
  try {
    say(`npm start: ready at ${running.api}`)
    compareWays(running.api, await follow(running.api))
  } finally {
    await running.stop()
  }
  say('stopped; all is as the README says')
} finally {
  rmSync(home, { recursive: true, force: true, maxRetries: 5 })
}
