import type { Model } from '@devflow/contracts'
import { expect, test } from 'vitest'
import { ModelError } from '../models/model.ts'
import { afterFailure, callingAtFirst, followCalls, modelInUse } from './fallback.ts'

const own: Model = {
  provider: 'openrouter',
  name: 'a',
  fallbacks: ['b', 'a', 'c'],
  maxOutputTokens: 500,
  pricing: { input: 1, output: 2 },
}
const failed = (code: string, retryable: boolean, affordableTokens?: number) =>
  new ModelError('UNAVAILABLE', code, 'no', {
    retryable,
    billed: 'no',
    ...(affordableTokens === undefined ? {} : { affordableTokens }),
  })
/** Where an attempt stands after these events. */
function after(...events: [type: string, data?: Record<string, string>][]) {
  const calling = callingAtFirst()
  for (const [type, data = {}] of events) followCalls(calling, { type, data })
  return calling
}

test('calls that failed before a crash count: no delivery begins anew', () => {
  const twice = after(['turn.failed'], ['turn.failed'])
  expect(afterFailure(own, twice, failed('provider_failed', true))).toEqual({ next: 'again', pause: true })
  followCalls(twice, { type: 'turn.failed', data: {} })
  expect(afterFailure(own, twice, failed('provider_failed', true))).toEqual({ next: 'fallback', to: 'b' })
})

test('a turn that was answered, and a fallback, begin the count anew', () => {
  const fail = failed('provider_failed', true)
  const answered = after(['turn.failed'], ['turn.failed'], ['turn.completed'], ['turn.failed'])
  expect(afterFailure(own, answered, fail).next).toBe('again')
  const fell = after(
    ['turn.failed'],
    ['turn.failed'],
    ['turn.failed'],
    ['model.fallback', { to: 'b' }],
    ['turn.failed'],
  )
  expect(afterFailure(own, fell, fail).next).toBe('again')
  expect(modelInUse(own, fell).name).toBe('b')
})

test('each model has its turn once, and after the last there is none', () => {
  const down = (model: string) => after(['model.fallback', { to: model }], ['turn.failed'])
  const gone = failed('provider_model_not_found', false)
  expect(afterFailure(own, down('b'), gone)).toEqual({ next: 'fallback', to: 'c' })
  expect(afterFailure(own, down('c'), gone)).toEqual({ next: 'fail' })
  expect(afterFailure({ ...own, fallbacks: undefined }, after(['turn.failed']), gone)).toEqual({
    next: 'fail',
  })
})

test('an error that stays and is not the model’s ends it at once', () => {
  for (const code of ['provider_unauthorized', 'provider_key_limit', 'context_length_exceeded'])
    expect(afterFailure(own, after(['turn.failed']), failed(code, false))).toEqual({ next: 'fail' })
})

test('the price written for the persona’s model is not its fallback’s', () => {
  expect(modelInUse(own, callingAtFirst())).toEqual(own)
  expect(modelInUse(own, after(['model.fallback', { to: 'b' }]))).not.toHaveProperty('pricing')
})

test('credits that pay for less are used, unless they pay for next to nothing', () => {
  const calling = after(['turn.failed'])
  expect(afterFailure(own, calling, failed('provider_credits_low', false, 3)).next).toBe('fail')
  expect(afterFailure(own, calling, failed('provider_credits_low', false, 100))).toEqual({
    next: 'again',
    pause: false,
  })
  expect(modelInUse(own, calling).maxOutputTokens).toBe(100)
})
