import type { Logger } from './logger.ts'
import type { Tracing } from './tracing.ts'
import type { TracingConfig } from './tracing-config.ts'

/**
 * Starts tracing when it is configured. Otherwise nothing of OpenTelemetry is even loaded. `service` names the process
 * unless OTEL_SERVICE_NAME does; `log` is told once when spans cannot be delivered, and once when they can again.
 */
export async function openTracing(
  config: TracingConfig | undefined,
  service: string,
  log: Logger,
): Promise<Tracing | undefined> {
  if (config === undefined) return undefined
  const { OpenTelemetryTracing } = await import('./tracing-sdk.ts')
  return new OpenTelemetryTracing(config, service, log)
}
