import { test } from 'vitest'
import { takePostgresAway } from '../tests/crash/postgres-away.ts'

test('Postgres away for a minute in the middle of a paid turn', async () => {
  await takePostgresAway(60_000)
}, 300_000)
