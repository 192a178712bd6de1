// Law: what every Devflow process shares: its end, its pings, its configuration, its log, its figures and traces.
// Imports contracts, pino, zod; prom-client in `metrics` alone, OpenTelemetry only once tracing is configured.
export * from './config.ts'
export * from './last-words.ts'
export * from './listening.ts'
export * from './logger.ts'
export * from './messages.ts'
export * from './open-tracing.ts'
export * from './repeat.ts'
export * from './supervised.ts'
export * from './traceparent.ts'
export * from './tracing.ts'
export * from './tracing-config.ts'
