import { type FakeOpenRouter, startFakeOpenRouter } from '@devflow/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { FAILURES } from './failures.fixture.ts'
import { Quirk } from './quirk.fixture.ts'
import { REPLIES } from './replies.fixture.ts'

/** The oddities of OpenRouter and of what stands behind it, by number and name; what sessions make of them: tests/e2e. */
const QUIRKS = [...REPLIES, ...FAILURES]

let fake: FakeOpenRouter
beforeEach(async () => {
  fake = await startFakeOpenRouter()
})
afterEach(() => fake.close())

test('all sixty are here', () => {
  expect(QUIRKS.map(([n]) => n)).toEqual(Array.from({ length: 60 }, (_, index) => index + 1))
})

test.each(QUIRKS)('%i. %s', async (_n, _id, shows) => {
  await shows(new Quirk(fake))
})
