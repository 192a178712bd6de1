import { z } from 'zod'

/** Where traces go and which are taken; made from the standard variables of OpenTelemetry. */
export interface TracingConfig {
  url: string
  headers: Record<string, string>
  service: string | undefined
  attributes: Record<string, string>
  sampler: Sampler
  /** Of `traceidratio`: from 0 to 1. */
  ratio: number
}

const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const
type Sampler = (typeof SAMPLERS)[number]

const address = z.url({ protocol: /^https?$/ }).optional()
const pairs = z.string().transform(readPairs).default({})

/** Fields for a process's schema of its environment: OpenTelemetry's variables, as far as they are read here. */
export const otel = {
  endpoint: address.describe('the address of an OTLP receiver, as in http://127.0.0.1:4318'),
  tracesEndpoint: address.describe('the whole address for traces, as in http://127.0.0.1:4318/v1/traces'),
  protocol: z
    .literal('http/json')
    .optional()
    .describe('http/json, which receivers take on their HTTP port (4318); no other is spoken'),
  headers: pairs.describe('headers for the receiver, as in name=value,other=value'),
  service: z.string().optional().describe('a name for this process in traces'),
  attributes: pairs.describe('what traces say of this process, as in name=value,other=value'),
  sampler: z
    .enum(SAMPLERS)
    .default('parentbased_always_on')
    .describe(`one of ${SAMPLERS.join(', ')}`),
  ratio: z.coerce.number().min(0).max(1).default(1).describe('the part of traces to take, from 0 to 1'),
  disabled: z.string().optional().describe('true turns traces off'),
}

export interface TracingVariables {
  OTEL_EXPORTER_OTLP_ENDPOINT?: string | undefined
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT?: string | undefined
  OTEL_EXPORTER_OTLP_HEADERS: Record<string, string>
  OTEL_SERVICE_NAME?: string | undefined
  OTEL_RESOURCE_ATTRIBUTES: Record<string, string>
  OTEL_TRACES_SAMPLER: Sampler
  OTEL_TRACES_SAMPLER_ARG: number
  OTEL_SDK_DISABLED?: string | undefined
}

/** Undefined unless an endpoint is set: then there is no tracing. */
export function tracingConfig(read: TracingVariables): TracingConfig | undefined {
  const base = read.OTEL_EXPORTER_OTLP_ENDPOINT
  const url = read.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? (base && `${base.replace(/\/+$/, '')}/v1/traces`)
  if (url === undefined || read.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return undefined
  return {
    url,
    headers: read.OTEL_EXPORTER_OTLP_HEADERS,
    service: read.OTEL_SERVICE_NAME,
    attributes: read.OTEL_RESOURCE_ATTRIBUTES,
    sampler: read.OTEL_TRACES_SAMPLER,
    ratio: read.OTEL_TRACES_SAMPLER_ARG,
  }
}

/** What of it must not be logged: receivers are opened with keys in headers or addresses. */
export function tracingSecrets(config: TracingConfig | undefined): string[] {
  if (!config) return []
  const { password } = new URL(config.url)
  const values = Object.values(config.headers)
  // As in `Authorization: Bearer …`: the key alone must not show either.
  return [
    ...values,
    ...values.flatMap((value) => value.split(' ').slice(1)),
    decodeURIComponent(password),
  ].filter(Boolean)
}

/** `a=1,b=2`, percent-encoded as OpenTelemetry has it. */
function readPairs(text: string, context: z.RefinementCtx): Record<string, string> {
  const pairs = text
    .split(',')
    .filter((part) => part.trim() !== '')
    .map((part) => {
      const [name = '', ...value] = part.split('=')
      if (name.trim() === '' || value.length === 0)
        context.addIssue({ code: 'custom', message: 'no name=value' })
      return [name.trim(), decoded(value.join('=').trim())] as const
    })
  return Object.fromEntries(pairs)
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text // A value that only looks encoded.
  }
}
