import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import pg from 'pg'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'

const main = fileURLToPath(new URL('../main.ts', import.meta.url))
const name = `devflow_migrate_${randomUUID().replaceAll('-', '')}`
const server = inject('databaseUrl')
const url = Object.assign(new URL(server), { pathname: `/${name}` }).href

async function query<Row extends pg.QueryResultRow>(at: string, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: at })
  await client.connect()
  try {
    return (await client.query<Row>(text)).rows
  } finally {
    await client.end()
  }
}

beforeAll(() => query(server, `create database ${name}`))
afterAll(() => query(server, `drop database ${name} with (force)`))

async function migrate(...args: string[]): Promise<string> {
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
    DATABASE_URL: url,
  }
  const { stdout } = await promisify(execFile)(process.execPath, [main, 'migrate', ...args], { env })
  return stdout
}

test('brings an empty database to the schema of the build; again, and several at once, change nothing', async () => {
  expect(await Promise.all([migrate(), migrate('--lang', 'ko')])).toEqual([
    'The database has the schema of this build.\n',
    '데이터베이스가 이 빌드의 스키마입니다.\n',
  ])
  const applied = () => query(url, 'select hash from drizzle.__drizzle_migrations order by id')
  const once = await applied()
  expect(once.length).toBeGreaterThan(2)
  expect(JSON.parse(await migrate('--json'))).toEqual({ migrated: true })
  expect(await applied()).toEqual(once)
})
