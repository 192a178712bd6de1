import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { TEMPORAL } from '@devflow/contracts'
import { expect, onTestFinished, test } from 'vitest'
import { cacheFolder } from './cache-folder.ts'
import { startTemporal, type TemporalOptions } from './temporal.ts'
import { obtainTemporal } from './temporal-program.ts'
import { testFolder } from './testing/folder.ts'

const { path: program } = await obtainTemporal({
  cacheDir: cacheFolder(process.env),
  env: process.env,
  onProgress: () => {},
})

async function start(options: Omit<TemporalOptions, 'program'> & { program?: string }) {
  const temporal = await startTemporal({ program, ...options })
  onTestFinished(() => temporal.kill())
  return temporal
}

/** The server as the UI sees it. Its connection may need a moment to the server beside it. */
const seenByUi = (uiUrl: string, path: string) =>
  expect.poll(async () => (await fetch(`${uiUrl}/api/v1/${path}`)).json(), { timeout: 10_000 })

test('keeps finished runs for 30 days, knows the search attributes, shows both in its UI', async () => {
  const { uiUrl } = await start({ dbFile: join(testFolder(), 'temporal.db') })
  expect(await (await fetch(uiUrl)).text()).toContain('<html')
  await seenByUi(uiUrl, 'namespaces/default').toMatchObject({
    config: { workflowExecutionRetentionTtl: `${30 * 24 * 3600}s` },
  })
  const types = { Keyword: 'INDEXED_VALUE_TYPE_KEYWORD', KeywordList: 'INDEXED_VALUE_TYPE_KEYWORD_LIST' }
  const attributes = Object.entries(TEMPORAL.searchAttributes).map(([name, type]) => [name, types[type]])
  await seenByUi(uiUrl, 'namespaces/default/search-attributes').toMatchObject({
    customAttributes: Object.fromEntries(attributes),
  })
})

test('killed, it is back on the same ports; one left behind is ended first', async () => {
  const dbFile = join(testFolder(), 'temporal.db')
  const first = await start({ dbFile, namespace: 'mine' })
  await first.kill()
  const second = await start({ dbFile, namespace: 'mine', port: first.port, uiPort: first.uiPort })
  expect([second.address, second.uiUrl]).toEqual([first.address, first.uiUrl])
  await seenByUi(second.uiUrl, 'namespaces/mine').toMatchObject({ namespaceInfo: { name: 'mine' } })

  const third = await start({ dbFile, namespace: 'mine' })
  expect(await second.exited).toMatch(/ended|killed/)
  expect(third.pid).not.toBe(second.pid)
  await expect(start({ dbFile: `${dbFile}.other`, port: third.port })).rejects.toMatchObject({
    code: 'port_taken',
    message: expect.stringContaining(String(third.port)),
  })
})

test('a port that another process was quicker to take is not asked for again', async () => {
  const folder = testFolder()
  const taken = join(folder, 'taken')
  const unlucky = join(folder, 'temporal')
  writeFileSync(
    unlucky,
    `#!/bin/sh
[ -e ${taken} ] && exec ${program} "$@"
touch ${taken}
echo 'failed listening for HTTP API on 127.0.0.1:1: listen tcp 127.0.0.1:1: bind: address already in use' >&2
exit 1
`,
    { mode: 0o755 },
  )
  const { uiUrl } = await start({ program: unlucky, dbFile: join(folder, 'temporal.db') })
  expect(existsSync(taken)).toBe(true)
  expect((await fetch(uiUrl)).ok).toBe(true)
})
