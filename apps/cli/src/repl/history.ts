import { appendFileSync, chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import envPaths from 'env-paths'

/** So many lines are found again. */
const MOST_LINES = 1_000
/** They may hold what is nobody else's business. */
const OWN = { mode: 0o600 }

/** Lines that were typed before, here or at another prompt. */
export interface History {
  /** The latest first. */
  readonly lines: readonly string[]
  add(line: string): void
}

/** Of the user who runs this. env-paths tells Linux's folder for state by the name `log`; elsewhere logs are no state. */
export function historyFile(): string {
  const { log, data } = envPaths('devflow', { suffix: '' })
  return join(process.platform === 'linux' ? log : data, 'history')
}

/** The lines of a file, to which others are added. Where it can be neither read nor written, they last as long as the prompt. */
export function historyIn(file: string): History {
  const lines = attempt(() => readLines(file)) ?? []
  return {
    lines,
    add: (line) => {
      // A token is a secret, whichever way it is given.
      if (line.includes('--token') || line === lines[0]) return
      lines.unshift(line)
      lines.splice(MOST_LINES)
      attempt(() => {
        mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
        appendFileSync(file, `${line}\n`, OWN)
      })
    },
  }
}

function readLines(file: string): string[] {
  const kept = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
  chmodSync(file, OWN.mode)
  const latest = kept.slice(-MOST_LINES)
  if (kept.length > 2 * MOST_LINES)
    attempt(() => {
      const next = `${file}.${process.pid}`
      writeFileSync(next, `${latest.join('\n')}\n`, OWN)
      renameSync(next, file)
    })
  return latest.reverse()
}

function attempt<Value>(step: () => Value): Value | undefined {
  try {
    return step()
  } catch {
    // Not there yet, or not ours to write: no reason to keep anybody from working.
    return undefined
  }
}
