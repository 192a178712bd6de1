import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { findOnPath } from './find-on-path.ts'
import { obtainTemporal } from './temporal-program.ts'
import { testFolder } from './testing/folder.ts'

const PROGRAM = '#!/bin/sh\necho "temporal version 0.0.0-DEV (Server 9.8.7, UI 1.2.3)"\n'

function install(folder: string, name: string, text: string): string {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, name)
  writeFileSync(path, text)
  chmodSync(path, 0o755)
  return path
}

/** Looks in a cache and on a PATH of the test's own; the official download is answered by `answer`, or not at all. */
async function obtain(folder: string, origin = 'http://127.0.0.1:1') {
  const said: string[] = []
  // Nothing of this machine but what unpacking takes: it may have a temporal or a Go of its own.
  const tools = join(folder, 'tools')
  mkdirSync(tools, { recursive: true })
  for (const tool of ['tar', 'gzip', 'chmod']) {
    const path = findOnPath(tool, process.env.PATH ?? '')
    if (path && !existsSync(join(tools, tool))) symlinkSync(path, join(tools, tool))
  }
  const found = await obtainTemporal({
    cacheDir: join(folder, 'cache'),
    env: { PATH: `${join(folder, 'bin')}:${tools}`, HOME: folder },
    onProgress: (text) => said.push(text),
    origin,
  })
  return { ...found, said }
}

test('takes the one on PATH before the one in the cache', async () => {
  const folder = testFolder()
  const cached = install(join(folder, 'cache', 'temporal-1.5.1'), 'temporal', PROGRAM)
  expect(await obtain(folder)).toMatchObject({ path: cached, version: '9.8.7', said: [] })
  const onPath = install(join(folder, 'bin'), 'temporal', PROGRAM)
  expect(await obtain(folder)).toMatchObject({ path: onPath, version: '9.8.7' })
})

test('downloads the official build into the cache, once', async () => {
  const folder = testFolder()
  install(folder, 'temporal', PROGRAM)
  execFileSync('tar', ['-czf', 'archive.tar.gz', 'temporal'], { cwd: folder })
  const asked: (string | undefined)[] = []
  const server = createServer((request, response) => {
    asked.push(request.url)
    response.end(readFileSync(join(folder, 'archive.tar.gz')))
  }).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const origin = `http://127.0.0.1:${address.port}`
  const first = await obtain(folder, origin)
  expect(first.said).toContainEqual(expect.stringMatching(/^Downloading/))
  expect(await obtain(folder, origin)).toMatchObject({ path: first.path, said: [] })
  expect(asked).toEqual([expect.stringMatching(/^\/cli\/archive\/v1\.5\.1\?platform=\w+&arch=\w+$/)])
  expect(readdirSync(join(folder, 'cache', 'temporal-1.5.1'))).toEqual(['temporal'])
})

test('builds it with Go where there is nothing else', async () => {
  const folder = testFolder()
  const go = `#!/bin/sh\necho "$@" > "${folder}/asked"\nprintf '%s' '${PROGRAM}' > "$GOBIN/temporal"\nchmod +x "$GOBIN/temporal"\n`
  install(join(folder, 'bin'), 'go', go)
  const { version, said } = await obtain(folder)
  expect(version).toBe('9.8.7')
  expect(said).toContainEqual(expect.stringMatching(/^Building .* once/))
  expect(readFileSync(join(folder, 'asked'), 'utf8').trim()).toBe(
    'install github.com/temporalio/cli/cmd/temporal@v1.5.1',
  )
})

test('without any way it says so and lists the ways', async () => {
  await expect(obtain(testFolder())).rejects.toMatchObject({
    kind: 'UNAVAILABLE',
    code: 'no_temporal',
    message: expect.stringMatching(/TEMPORAL_ADDRESS[\s\S]*PATH[\s\S]*temporal\.download[\s\S]*Go/),
  })
})
