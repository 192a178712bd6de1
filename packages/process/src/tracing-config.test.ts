import { expect, test } from 'vitest'
import { z } from 'zod'
import { parseConfig } from './config.ts'
import { readTraceparent, writeTraceparent } from './traceparent.ts'
import { otel, tracingConfig, tracingSecrets } from './tracing-config.ts'

const Variables = z.object({
  OTEL_EXPORTER_OTLP_ENDPOINT: otel.endpoint,
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: otel.tracesEndpoint,
  OTEL_EXPORTER_OTLP_PROTOCOL: otel.protocol,
  OTEL_EXPORTER_OTLP_HEADERS: otel.headers,
  OTEL_SERVICE_NAME: otel.service,
  OTEL_RESOURCE_ATTRIBUTES: otel.attributes,
  OTEL_TRACES_SAMPLER: otel.sampler,
  OTEL_TRACES_SAMPLER_ARG: otel.ratio,
  OTEL_SDK_DISABLED: otel.disabled,
})
const read = (env: Record<string, string>) => tracingConfig(parseConfig(Variables, env))
const OTEL_EXPORTER_OTLP_ENDPOINT = 'http://collector:4318/'

test('there are no traces unless an endpoint is set, or where they are disabled', () => {
  expect(read({})).toBeUndefined()
  expect(read({ OTEL_SERVICE_NAME: 'x' })).toBeUndefined()
  expect(read({ OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SDK_DISABLED: 'true' })).toBeUndefined()
})

test('the endpoint for traces is below the general one, or named whole', () => {
  expect(read({ OTEL_EXPORTER_OTLP_ENDPOINT })).toMatchObject({
    url: 'http://collector:4318/v1/traces',
    sampler: 'parentbased_always_on',
    ratio: 1,
  })
  const whole = { OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://other/in' }
  expect(read(whole)?.url).toBe('https://other/in')
})

test('headers and attributes are pairs, and the values of headers are secrets', () => {
  const config = read({
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://me:pass%20word@collector:4318',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20abc=, x-team = a%2Cb',
    OTEL_RESOURCE_ATTRIBUTES: 'host.name=one,',
  })
  expect(config?.headers).toEqual({ authorization: 'Bearer abc=', 'x-team': 'a,b' })
  expect(config?.attributes).toEqual({ 'host.name': 'one' })
  expect(tracingSecrets(config)).toEqual(['Bearer abc=', 'a,b', 'abc=', 'pass word'])
})

test.each([
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'hunter2'],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'grpc://hunter2:4317'],
  ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
  ['OTEL_EXPORTER_OTLP_HEADERS', 'hunter2'],
  ['OTEL_TRACES_SAMPLER', 'hunter2'],
  ['OTEL_TRACES_SAMPLER_ARG', '2'],
])('a wrong %s (%s) is refused by its name, and the value is not told', (name, value) => {
  expect(() => read({ [name]: value })).toThrow(expect.objectContaining({ code: 'bad_config' }))
  expect(() => read({ [name]: value })).toThrow(new RegExp(`^${name} is wrong`))
  expect(() => read({ [name]: value })).not.toThrow(/hunter2/)
})

test('a traceparent is read as W3C has it, and anything else is none', () => {
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
  const span = '00f067aa0ba902b7'
  expect(readTraceparent(`00-${trace}-${span}-01`)).toEqual({ traceId: trace, spanId: span, flags: 1 })
  expect(readTraceparent(`01-${trace}-${span}-01-later`)).toMatchObject({ traceId: trace })
  expect(writeTraceparent({ traceId: trace, spanId: span, flags: 0 })).toBe(`00-${trace}-${span}-00`)
  const none = [
    undefined,
    null,
    '',
    `ff-${trace}-${span}-01`,
    `00-${'0'.repeat(32)}-${span}-01`,
    `00-${trace}-${'0'.repeat(16)}-01`,
    `00-${trace.toUpperCase()}-${span}-01`,
    `00-${trace}-${span}`,
    `00-${trace}-${span}-01\n`,
    `00-${trace}-${span}-01-more`,
  ]
  expect(none.map(readTraceparent)).toEqual(none.map(() => undefined))
})
