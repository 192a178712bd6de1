import { type LogFields, scrubber } from '@devflow/contracts'
import { destination, pino } from 'pino'

interface Tell {
  (message: string): void
  (fields: LogFields, message: string): void
}

/**
 * A line for each event. `debug`: what goes as it should, step by step; `info`: a process or its surroundings changed;
 * `warn`: something failed and will be tried again or made good without anybody's help; `error`: something failed
 * for good and somebody should look; `fatal`: the process cannot go on.
 */
export type Logger = Record<'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal', Tell>

export interface LoggerOptions {
  /** The process: `api`, `worker`. */
  name: string
  /** Pino's level name; `info` unless told. */
  level?: string
  /** Values that never reach the log (I8). */
  secrets?: readonly (string | undefined)[]
  /** Where lines go; stderr unless told. Written synchronously, so that the last words of a dying process are kept. */
  write?: (line: string) => void
  /** What each line tells beside its own fields, asked when it is written. */
  around?: () => LogFields
}

/** A logger of JSON lines in which every secret's exact value is replaced, also inside errors and stacks. */
export function createLogger({ name, level = 'info', secrets = [], write, around }: LoggerOptions): Logger {
  // Lines are scrubbed as they leave, after serialisation: so a secret with quotes or newlines is there in its escaped form.
  const escaped = secrets.map((secret) => (secret ? JSON.stringify(secret).slice(1, -1) : undefined))
  const scrub = scrubber([...secrets, ...escaped])
  return pino(
    {
      name,
      level,
      formatters: { level: (label) => ({ level: label }) },
      timestamp: pino.stdTimeFunctions.isoTime,
      hooks: { streamWrite: scrub },
      ...(around ? { mixin: around, mixinMergeStrategy: (own, more) => ({ ...more, ...own }) } : {}),
    },
    write ? { write } : destination({ fd: 2, sync: true }),
  )
}
