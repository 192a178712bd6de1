import type { ErrorRecord } from '@devflow/contracts'
import { DevflowError } from '@devflow/contracts/devflow-error'
import { CommanderError } from 'commander'
import { EXIT } from './exit-codes.ts'
import type { Words } from './messages/words.ts'
import { BAD_USAGE } from './refuse.ts'
import type { Circumstances, Telling } from './telling.ts'
import { harmless, wrap } from './terminal/fit.ts'
import { paletteOf } from './terminal/palette.ts'

/** A failure as it is told: what it is, and what to do about it. */
interface Failure extends ErrorRecord {
  fix?: string
  origin?: string
}

/** Says on stderr what went wrong, in words or as JSON, and answers the exit code for it. */
export async function tellFailure(error: unknown, telling: Circumstances): Promise<number> {
  const refusal = refusalOf(error, telling.words)
  if (refusal) {
    tell(refusal, telling)
    return EXIT.badUsage
  }
  // Only here: it knows the client's errors, which takes longer to load than to refuse a command line.
  const { exitCodeOfWork, recordOfWork } = await import('./failure-of-work.ts')
  tell(recordOfWork(error, telling), telling)
  return exitCodeOfWork(error)
}

/** What is told where a command line is refused; undefined where something else went wrong. */
function refusalOf(error: unknown, { failures }: Words): ErrorRecord | undefined {
  if (error instanceof CommanderError) {
    const message = failures.parserSays(error.message.replace(/^error: /, ''))
    return { kind: 'INVALID', code: BAD_USAGE, message }
  }
  return error instanceof DevflowError && error.code === BAD_USAGE ? error.record : undefined
}

/** The kinds and codes of the API stay as they are: they can be looked up. */
function tell({ origin, ...record }: ErrorRecord & { origin?: string }, { words, json }: Telling): void {
  const failure: Failure = {
    ...record,
    fix: words.failures.fixes[record.code],
    ...(origin ? { origin } : {}),
  }
  const text = json ? JSON.stringify({ error: failure }) : failureLines(failure, words).join('\n')
  process.stderr.write(`${text}\n`)
}

function failureLines(failure: Failure, words: Words): string[] {
  const { bad, faint, strong } = paletteOf(process.stderr)
  const { kinds } = words.failures
  const width = (process.stderr.isTTY && process.stderr.columns) || Number.POSITIVE_INFINITY
  const indented = (text: string, first: string) =>
    wrap(harmless(text), width - 2).map((line, index) => `${index === 0 ? first : '  '}${line}`)
  return [
    `${bad('✗')} ${strong(kinds[failure.kind])} ${faint(`${failure.kind} ${failure.code}`)}`,
    ...indented(failure.message, '  '),
    ...(failure.errors ?? [])
      .filter(({ message }) => !failure.message.includes(message))
      .flatMap(({ path, message }) => indented(path === '' ? message : `${path}: ${message}`, '  ')),
    ...(failure.fix ? indented(failure.fix, '→ ') : []),
    ...(failure.origin ? [failure.origin] : []),
  ]
}
