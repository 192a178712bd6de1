import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

type Json = string | number | boolean | null | Json[] | { [name: string]: Json }

/** A run as one of the ways shows it. */
export interface Views {
  run: Json
  gates: Json
  report: Json
  markdown: string
}

const parsed = <Shape = Json>(text: string): Shape => JSON.parse(text) as Shape

const CLIENT = `
import { DevflowClient } from '@devflow/client'
const [baseUrl, run] = process.argv.slice(2)
const { runs, gates } = new DevflowClient({ baseUrl })
const { items } = await gates.list({ run })
const [report, markdown] = [await runs.report(run), await runs.reportMarkdown(run)]
console.log(JSON.stringify({ run: await runs.get(run), gates: items, report, markdown }))
`

/** Looks at runs by each of the three ways, with the programs of a checkout. */
export class Looks {
  readonly #checkout: string
  readonly #env: NodeJS.ProcessEnv
  readonly #api: string

  constructor(checkout: string, env: NodeJS.ProcessEnv, api: string) {
    this.#checkout = checkout
    this.#env = env
    this.#api = api
  }

  byCommandLine(run: string): Views {
    const devflow = (...args: string[]) => this.#printed('npx', 'devflow', ...args)
    const { items } = parsed<{ items: { runId: string }[] }>(
      devflow('gates', '--status', 'open,approved', '--json'),
    )
    return {
      run: parsed(devflow('runs', 'show', run, '--json')),
      gates: items.filter(({ runId }) => runId === run),
      report: parsed(devflow('runs', 'report', run, '--json')),
      markdown: devflow('runs', 'report', run),
    }
  }

  byCurl(run: string): Views {
    const curl = (path: string, ...args: string[]) =>
      this.#printed('curl', '-s', '--fail-with-body', ...args, `${this.#api}/v1/runs/${run}${path}`)
    return {
      run: parsed(curl('')),
      gates: parsed<{ items: Json }>(curl('/gates')).items,
      report: parsed(curl('/report')),
      markdown: curl('/report', '-H', 'Accept: text/markdown'),
    }
  }

  byClient(run: string): Views {
    const script = join(this.#checkout, 'views.ts')
    writeFileSync(script, CLIENT)
    const views = parsed<Views>(this.#printed('npx', 'node', script, this.#api, run))
    rmSync(script)
    return views
  }

  #printed(command: string, ...args: string[]): string {
    return execFileSync(command, args, {
      cwd: this.#checkout,
      env: this.#env,
      encoding: 'utf8',
      maxBuffer: 1e8,
    })
  }
}

const ID = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g
const CHANCE = /^(lastSeq|latencyMs|at|since|deadline|\w+At)$/

/** Without what differs between two runs of one input: ids, times, how long it took, in how many pieces text was streamed. */
export function withoutChance(views: Views): Json {
  const { markdown, ...rest } = views
  const text = markdown
    .replace(ID, '<id>')
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/g, '<time>')
    .replace(/(?<= (for|after) )[\d.]+ ?(ms|s|min)\b/g, '<duration>')
  return { views: plain(rest), markdown: text }
}

function plain(value: Json, name = ''): Json {
  if (CHANCE.test(name)) return '<chance>'
  if (Array.isArray(value)) return value.map((item) => plain(item))
  if (typeof value === 'string') return value.replace(ID, '<id>')
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item, key)]))
}
