import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { EVENT_FORMAT } from '@devflow/contracts'
import { type KeptLog, sha256Of } from './kept-log.ts'

const FOLDER = fileURLToPath(new URL('.', import.meta.url))
const DIGESTS = join(FOLDER, 'digests.json')

/** Each kept log by its name, as in `1/gate-closed`: the format of its events, and what it was kept for. */
export function keptLogs(): Map<string, { text: string; log: KeptLog }> {
  const formats = readdirSync(FOLDER).filter((name) => /^\d+$/.test(name))
  const names = formats.flatMap((format) =>
    readdirSync(join(FOLDER, format)).map((file) => `${format}/${file.replace(/\.json$/, '')}`),
  )
  return new Map(
    names.sort().map((name) => {
      const text = readFileSync(join(FOLDER, `${name}.json`), 'utf8')
      return [name, { text, log: JSON.parse(text) as KeptLog }]
    }),
  )
}

/** The SHA-256 of every log when it was kept, by name. */
export const digests = (): Record<string, string> =>
  existsSync(DIGESTS) ? (JSON.parse(readFileSync(DIGESTS, 'utf8')) as Record<string, string>) : {}

/** Keeps one more log, in the format of this build. */
export function keep(title: string, log: KeptLog): void {
  const name = `${EVENT_FORMAT}/${title.replaceAll(/[^a-z]+/g, '-')}`
  const known = digests()
  if (name in known) throw new Error(`there is a log ${name} already`)
  const { events, chunks, ...rest } = log
  const lines = (list: object[]) => `[\n${list.map((line) => `  ${JSON.stringify(line)}`).join(',\n')}\n]`
  const fields = Object.entries(rest).map(([field, value]) => `"${field}": ${JSON.stringify(value)}`)
  const text = `{\n${[...fields, `"events": ${lines(events)}`, `"chunks": ${lines(chunks)}`].join(',\n')}\n}\n`
  writeFileSync(join(FOLDER, `${name}.json`), text)
  const all = { ...known, [name]: sha256Of(text) }
  const sorted = Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)))
  writeFileSync(DIGESTS, `${JSON.stringify(sorted, null, 2)}\n`)
}
