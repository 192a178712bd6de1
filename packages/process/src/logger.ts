import { scrubber } from '@devflow/contracts'
import { destination, type Logger, pino } from 'pino'

export type { Logger } from 'pino'

export interface LoggerOptions {
  /** The process: `api`, `worker`. */
  name: string
  /** Pino's level name; `info` unless told. */
  level?: string
  /** Values that never reach the log (I8). */
  secrets?: readonly (string | undefined)[]
  /** Where lines go; stderr unless told. Written synchronously, so that the last words of a dying process are kept. */
  write?: (line: string) => void
}

/** A logger of JSON lines in which every secret's exact value is replaced, also inside errors and stacks. */
export function createLogger({ name, level = 'info', secrets = [], write }: LoggerOptions): Logger {
  // Lines are scrubbed as they leave, after serialisation: so a secret with quotes or newlines is there in its escaped form.
  const escaped = secrets.map((secret) => (secret ? JSON.stringify(secret).slice(1, -1) : undefined))
  const scrub = scrubber([...secrets, ...escaped])
  return pino(
    { name, level, hooks: { streamWrite: scrub } },
    write ? { write } : destination({ fd: 2, sync: true }),
  )
}
