import { ConnectionError } from '@devflow/client'
import { DevflowError, type ErrorRecord } from '@devflow/contracts'
import { CommanderError } from 'commander'
import { isStranger } from './exit-codes.ts'
import type { Words } from './messages/words.ts'
import { harmless, wrap } from './terminal/fit.ts'
import { paletteOf } from './terminal/palette.ts'

export interface Telling {
  words: Words
  json: boolean
  /** For errors that nobody expected: where they come from. */
  tellsOrigins: boolean
}

interface Circumstances extends Telling {
  /** Where the API was looked for, if it was. */
  url(): string | undefined
}

/** A failure as it is told: what it is, and what to do about it. */
interface Failure extends ErrorRecord {
  fix?: string
  origin?: string
}

/** Puts a failure in words. The kinds and codes of the API stay as they are: they can be looked up. */
function failureOf(error: unknown, { words, tellsOrigins, url }: Circumstances): Failure {
  const { failures } = words
  const told = (record: ErrorRecord): Failure => ({ ...record, fix: failures.fixes[record.code] })
  if (error instanceof CommanderError) {
    const message = failures.parserSays(error.message.replace(/^error: /, ''))
    return told({ kind: 'INVALID', code: 'bad_usage', message })
  }
  if (error instanceof ConnectionError) return told({ ...error.record, code: 'unreachable' })
  if (isStranger(error)) {
    const message = failures.noDevflow(url() ?? '', error.status ?? 0)
    return told({ kind: 'UNAVAILABLE', code: 'no_devflow', message })
  }
  if (error instanceof DevflowError) return told(error.record)
  const message = error instanceof Error ? error.message : String(error)
  const origin = tellsOrigins && error instanceof Error ? error.stack : undefined
  return { ...told({ kind: 'INTERNAL', code: 'unexpected', message }), ...(origin ? { origin } : {}) }
}

/** Says on stderr what went wrong: one JSON object, or for people kind, words, and what to do. */
export function tellFailure(error: unknown, telling: Circumstances): void {
  // Commander has printed help, or the version: that says it all.
  if (error instanceof CommanderError && (error.exitCode === 0 || error.code === 'commander.help')) return
  const failure = failureOf(error, telling)
  if (telling.json) {
    process.stderr.write(`${JSON.stringify({ error: failure })}\n`)
    return
  }
  const { bad, faint, strong } = paletteOf(process.stderr)
  const { kinds } = telling.words.failures
  const width = (process.stderr.isTTY && process.stderr.columns) || Number.POSITIVE_INFINITY
  const indented = (text: string, first: string) =>
    wrap(harmless(text), width - 2).map((line, index) => `${index === 0 ? first : '  '}${line}`)
  const lines = [
    `${bad('✗')} ${strong(kinds[failure.kind])} ${faint(`${failure.kind} ${failure.code}`)}`,
    ...indented(failure.message, '  '),
    ...(failure.errors ?? [])
      .filter(({ message }) => !failure.message.includes(message))
      .flatMap(({ path, message }) => indented(path === '' ? message : `${path}: ${message}`, '  ')),
    ...(failure.fix ? indented(failure.fix, '→ ') : []),
    ...(failure.origin ? [failure.origin] : []),
  ]
  process.stderr.write(`${lines.join('\n')}\n`)
}
