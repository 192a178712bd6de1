// Law: what every Devflow process shares: its end, its pings, its configuration, its log. Imports contracts, pino, zod.
export * from './config.ts'
export * from './logger.ts'
export * from './messages.ts'
export * from './supervised.ts'
