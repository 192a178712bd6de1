import type { Logger } from './logger.ts'

/** Sees to it that all this process says is a line of its log: Node's warnings, and errors that nobody caught. */
export function logLastWords(log: Logger): void {
  process.removeAllListeners('warning') // Node's own printing, which takes several lines.
  process.on('warning', (warning) => log.warn({ err: warning }, 'Node warns'))
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'an error nobody caught ends the process')
    process.exit(1)
  })
}
