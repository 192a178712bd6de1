import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { startCommand } from '../support/command-line.ts'
import { runInShell } from '../support/shell-line.ts'
import { useStack } from '../support/stack.ts'
import { blocksOf, init, newFolder } from './starter.ts'

const stack = useStack()

async function change(file: string, from: string, to: string): Promise<void> {
  const text = await readFile(file, 'utf8')
  expect(text).toContain(from)
  await writeFile(file, text.replace(from, to))
}

test('who follows the README runs what was written to its end, without a key', async () => {
  const cwd = await newFolder()
  expect(await init(cwd)).toMatchObject({ code: 0, stderr: '' })
  const blocks = blocksOf(await readFile(join(cwd, 'entries', 'README.md'), 'utf8'))
  const [start = '', run = '', decide = ''] = blocks
  expect([blocks.length, start]).toEqual([3, 'devflow up --entries entries'])
  /** `devflow up` as the README has it, and how its other lines are typed beside it. */
  const up = async () => {
    const own = ['--data', join(cwd, 'data'), '--port', '0', '--no-sample', '--json']
    const started = startCommand([...start.split(' ').slice(1), ...own], {
      cwd,
      env: {
        DATABASE_URL: stack.databaseUrl,
        TEMPORAL_ADDRESS: inject('temporalAddress'),
        TEMPORAL_NAMESPACE: stack.client.options.namespace ?? 'default',
      },
    })
    await started.until('"event":"ready"')
    const [, url = ''] = /"api":"([^"]+)"/.exec(started.printed()) ?? []
    return {
      type: (line: string) => runInShell(`cd '${cwd}'; ${line}`, { DEVFLOW_URL: url }),
      stop: async () => {
        started.signal('SIGTERM')
        const { code, stderr } = await started.ended
        expect([code, stderr]).toEqual([0, ''])
      },
    }
  }

  const first = await up()
  const asked = await first.type(run)
  expect([asked.code, asked.stderr]).toEqual([3, ''])
  expect(asked.stdout).toMatch(/write +started: my:writer@1\n[\s\S]*write +made: note\n/)
  expect(asked.stdout).toContain('? Publish the note of v1.2?')
  const decided = await first.type(`set -e; ${decide}`)
  expect([decided.code, decided.stderr]).toEqual([0, ''])
  expect(decided.stdout).toMatch(/^You have approved read\.\n[\s\S]*The run completed\. .* · \$0\.00\n/)
  expect(decided.stdout).toContain('# Write a release note and let a person read it: completed')
  expect((await first.type('devflow runs show last')).stdout).toMatch(
    /output\ndecision: approved\nheadline: Runs survive everything\n/,
  )
  await first.stop()

  // What is to be changed first counts from the next start on.
  await change(join(cwd, 'entries', 'note.yaml'), 'Runs survive everything', 'Ours is better')
  await change(join(cwd, 'entries', 'release-note.yaml'), 'Publish the note', 'Print the note')
  const second = await up()
  expect((await second.type(run)).stdout).toContain('? Print the note of v1.2?')
  expect((await second.type(`set -e; ${decide}; devflow runs show last`)).stdout).toMatch(
    /output\ndecision: approved\nheadline: Ours is better\n/,
  )
  await second.stop()
})
