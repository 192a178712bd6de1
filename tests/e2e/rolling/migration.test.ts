import { rm } from 'node:fs/promises'
import { inspectSchema, migrate } from '@devflow/db'
import { laterMigrations, testDatabase } from '@devflow/db/testing'
import pg from 'pg'
import { expect, inject, onTestFinished, test } from 'vitest'
import { startApp } from '../../support/app-process.ts'
import { eventsOf } from '../../support/run-log.ts'
import { Stack } from '../../support/stack.ts'
import { agentTemplate, gateTemplate } from '../../support/templates.ts'
import { holdSecondTurns } from './held.ts'
import { HELD, KINDS } from './kinds.ts'

/**
 * As much as a migration that expands may do: every table has columns more, every function is put in place anew, and there
 * are tables, indexes and functions that this build knows nothing of.
 */
const EXPAND = `
do $$ declare name text; source text; begin
  for name in select c.relname from pg_class c where c.relnamespace = 'devflow'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition loop
    execute format('alter table devflow.%I add column later text, add column later_too integer not null default 7', name);
  end loop;
  for source in select pg_get_functiondef(p.oid) from pg_proc p where p.pronamespace = 'devflow'::regnamespace and p.prokind = 'f' loop
    execute source;
  end loop;
end $$;
create table devflow.later_things (run_id uuid primary key, what text not null);
create index later_runs on devflow.runs (later);
create function devflow.later(what text) returns text language sql as $$ select what $$;
`

test('workers of a build before go on while a later build’s migration is applied, and after it', async () => {
  const stack = new Stack({})
  onTestFinished(() => stack.stop())
  await stack.start()
  const worker = await stack.startWorker()
  const folder = await laterMigrations(EXPAND)
  onTestFinished(() => rm(folder, { recursive: true, force: true }))

  const letGo = holdSecondTurns(stack)
  const atWork = await stack.submit(agentTemplate(HELD))
  // Its events come in while the tables change.
  await stack.submit(agentTemplate('[turns=4][chunks=20][chunkDelayMs=25]'))
  const atGate = await stack.submit(gateTemplate())
  await Promise.all([stack.untilEvent(atWork, 'call.reserved', 2), stack.untilEvent(atGate, 'gate.opened')])
  await migrate(stack.databaseUrl, { folder })
  expect(await inspectSchema(stack.databaseUrl)).toMatchObject({ pending: 0, isAhead: true })
  letGo()

  const after = ['a map', 'a cycle', 'a run that it started'].map((name) => KINDS[name]?.template ?? '')
  const begun = await Promise.all(after.map((template) => stack.submit(template)))
  await stack.decide(atGate, 'ok')
  const child = String(
    eventsOf(await stack.untilEvent(begun[2] ?? '', 'child.started'), 'child.started')[0]?.data.run,
  )
  stack.runs.push(child)
  await stack.untilEvent(child, 'gate.opened')
  await stack.decide(child, 'ok')
  for (const run of stack.runs) {
    const { status, error } = await stack.untilStatus(run, 'completed', 'failed', 'canceled')
    expect({ status, error }).toEqual({ status: 'completed', error: null })
  }
  expect(await stack.brokenLogs()).toEqual({})
  expect(await stack.brokenReports()).toEqual({})
  expect(worker.printed()).not.toMatch(/"level":"(error|fatal)"/)

  // One that is started now is of that older build too: its database may have more than it knows.
  await stack.stopWorker()
  await stack.startWorker()
  await stack.finish(KINDS['a time']?.template ?? '')
})

test('worker and API refuse to start on a database that is older than they are, and say what to do', async () => {
  const database = await testDatabase()
  onTestFinished(() => database.close())
  const client = new pg.Client(database.url)
  await client.connect()
  await client.query(
    'delete from drizzle.__drizzle_migrations where id = (select max(id) from drizzle.__drizzle_migrations)',
  )
  await client.end()
  const env = { DATABASE_URL: database.url, TEMPORAL_ADDRESS: inject('temporalAddress') }
  for (const name of ['worker', 'api'] as const)
    await expect(startApp(name, env)).rejects.toThrow(
      /The database lacks a migration of this build, up to \d{4}_\S+\. Run `devflow migrate` with this build, then start it again/,
    )
})
