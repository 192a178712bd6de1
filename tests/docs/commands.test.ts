// Plays every document on a real stack: its commands are run, the files it shows are written, what it shows is compared.
import { existsSync, mkdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { type ApiProcess, startApi } from '../support/api-process.ts'
import { smallRepository } from '../support/repository.ts'
import { useStack } from '../support/stack.ts'
import { codesIn, documents, filesAt, root, rowsUnder, textOf } from './documents.ts'
import { commandsElsewhere, missingIn, play, stepsOf } from './session.ts'

/** Its commands are those of README.md; `readme.test.ts` holds that. */
const TRANSLATED = 'README.ko.md'

describe('on a real stack', () => {
  const stack = useStack()
  let api: ApiProcess
  let checkout: string
  let run: string

  beforeAll(async () => {
    checkout = realpathSync(await smallRepository())
    symlinkSync(join(root, 'node_modules'), join(checkout, 'node_modules'))
    mkdirSync(join(checkout, '.devflow'))
    api = await startApi({
      DATABASE_URL: stack.databaseUrl,
      TEMPORAL_ADDRESS: inject('temporalAddress'),
      TEMPORAL_NAMESPACE: stack.client.options.namespace,
      DEVFLOW_WORKSPACE_ROOTS: tmpdir(),
    })
    run = await stack.submit('kind: template\nid: waits@1\nphases: [{ id: wait, wait: { signal: go } }]')
  })
  afterAll(async () => {
    await api.stop()
    rmSync(checkout, { recursive: true, force: true })
  })

  const played = documents.filter((file) => file !== TRANSLATED && stepsOf(file).length > 0)

  test.each(played)('who follows %s comes to its end, and sees what it shows', async (file) => {
    const steps = stepsOf(file).map(({ command, ...step }) => ({
      ...step,
      command: command.replaceAll('http://127.0.0.1:8787', api.url),
    }))
    const env = {
      API: api.url,
      RUN: run,
      DEVFLOW_URL: api.url,
      DATABASE_URL: stack.databaseUrl,
      TEMPORAL_ADDRESS: inject('temporalAddress'),
      TEMPORAL_NAMESPACE: stack.client.options.namespace,
    }
    for (const { step, printed } of await play(steps, { cwd: checkout, env }))
      if (step.shown !== undefined)
        expect(missingIn(printed, step.shown), `${step.at}, which printed:\n${printed}`).toEqual([])
  })
})

const namers = documents.filter((file) => commandsElsewhere(file).length > 0)

describe.each(namers)('what %s has run elsewhere', (file) => {
  const commands = commandsElsewhere(file)
  const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> }
  const optionsOfUp = rowsUnder('docs/cli.md', '## devflow up').flatMap(([option]) =>
    codesIn(option).map((text) => text.split(' ')[0]),
  )

  test('are scripts that exist', () => {
    const named = commands.flatMap((command) => /\bnpm (?:run )?([\w:]+)/.exec(command)?.[1] ?? [])
    expect(named.filter((name) => name !== 'install' && !(name in scripts))).toEqual([])
  })

  test('names files and folders that exist', () => {
    const paths = commands.flatMap((command) => command.match(/(?<=\s)\w[\w.-]*\/[\w./-]+/g) ?? [])
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([])
  })

  test('names options of devflow up and variables that are read', () => {
    const sources = filesAt('{apps,packages}/**/*.ts').map(textOf).join('\n')
    for (const command of commands) {
      if (command.includes('npm start -- '))
        for (const option of command.match(/(?<= )--[a-z-]+/g) ?? []) expect(optionsOfUp).toContain(option)
      for (const [name] of command.matchAll(/^[A-Z][A-Z_]+(?==)/g)) expect(sources).toContain(name)
    }
  })
})
