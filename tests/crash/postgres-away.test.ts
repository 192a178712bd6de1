import { test } from 'vitest'
import { takePostgresAway } from './postgres-away.ts'

// Longer than a session's heartbeat timeout; a whole minute is in the soak.
test('Postgres away in the middle of a paid turn: a clear state meanwhile, and nothing is lost or paid twice', async () => {
  await takePostgresAway(5_000)
}, 90_000)
