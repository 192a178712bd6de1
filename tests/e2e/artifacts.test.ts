import { rmSync } from 'node:fs'
import { readArtifact } from '@devflow/db'
import { afterAll, describe, expect, test } from 'vitest'
import { smallRepository } from '../support/repository.ts'
import { eventOf, eventsOf, type Standing } from '../support/run-log.ts'
import { useStack } from '../support/stack.ts'
import { completing, NOTE } from '../support/templates.ts'

const stack = useStack()
const repo = await smallRepository()
afterAll(() => rmSync(repo, { recursive: true, force: true }))
const workspace = { repo }

/** One phase that makes an artifact of a form, in YAML's flow style, and one that is given it. */
const making = (form: string, turns: object[]) => `
kind: template
id: making@1
roles: { worker: { persona: maker@1 } }
artifacts: { made: ${form} }
phases:
  - { id: make, agent: { role: worker, prompt: Make it., produces: made } }
  - { id: use, agent: { role: worker, prompt: 'Use it.', inputs: [made] } }
output: \${{ artifacts.made }}
---
${JSON.stringify({
  kind: 'persona',
  id: 'maker@1',
  model: {
    provider: 'scripted',
    name: 'maker',
    script: { phases: { make: turns, use: [{ reply: 'Used.' }] } },
  },
  tools: ['write_file', 'edit_file', 'complete'],
})}
`
const call = (name: string, args: object) => ({ name, arguments: args })
const write = (path: string, content: string) => call('write_file', { path, content })
const turn = (...toolCalls: object[]) => ({ toolCalls })
const finish = call('complete', {})
const promptOf = (run: Standing, phase: string) =>
  JSON.stringify(eventsOf(run, 'turn.started').find((event) => event.phase === phase)?.data.messages)

async function madeBy(run: Standing) {
  expect(run.status, JSON.stringify(run.error)).toBe('completed')
  const made = await readArtifact(stack.pool, run.id, 'made')
  return { mediaType: made?.mediaType, text: made?.content.toString() }
}

describe('an artifact in a file', () => {
  const form = '{ schema: note@1, path: notes/note.json }'
  const text = JSON.stringify(NOTE, null, 2)

  test('is what write_file has put there when the work is completed without content', async () => {
    const run = await stack.finish(making(form, [turn(write('notes/note.json', text)), turn(finish)]), {
      workspace,
    })
    expect(await madeBy(run)).toMatchObject({ mediaType: 'application/json' })
    expect(run.output).toEqual(NOTE)
    expect(promptOf(run, 'make')).toContain('notes/note.json')
    expect(eventsOf(run, 'artifact.rejected')).toEqual([])
  })

  test('is taken once the calls beside complete have made it, and by a plain answer too', async () => {
    const together = turn(write('./notes/note.json', text), finish)
    const run = await stack.finish(making(form, [together, { reply: 'It is written.' }]), { workspace })
    expect(JSON.parse((await madeBy(run)).text ?? '')).toEqual(NOTE)
    expect(eventsOf(run, 'artifact.rejected')).toEqual([])
  })

  test('that does not fit is repaired in one turn, by the exact errors, in the file', async () => {
    const bad = JSON.stringify({ ...NOTE, size: 0 })
    const mend = call('edit_file', { path: 'notes/note.json', old: '"size":0', new: '"size":1' })
    const turns = [turn(write('notes/note.json', bad)), turn(finish), turn(mend), turn(finish)]
    const run = await stack.finish(making(form, turns), { workspace })
    expect(JSON.parse((await madeBy(run)).text ?? '')).toEqual(NOTE)
    expect(eventOf(run, 'artifact.rejected').data.errors).toEqual([{ path: 'size', message: 'must be >= 1' }])
    expect(eventsOf(run, 'artifact.proposed')).toHaveLength(2)
  })

  test('that was there before nobody has made', async () => {
    const stale = '{ kind: text, path: README.md }'
    const run = await stack.finish(making(stale, [{ reply: 'My own words.' }]), { workspace })
    expect((await madeBy(run)).text).toBe('My own words.')
  })

  test('that is missing, or not there to be written without a workspace, is told', async () => {
    const lost = await stack.finish(making(form, [turn(finish), turn(finish)]), { workspace })
    expect(JSON.stringify(eventsOf(lost, 'artifact.rejected')[0]?.data)).toMatch(
      /notes\/note.json.*does not exist/,
    )
    expect(lost.error).toMatchObject({ code: 'artifact_invalid' })
    const nowhere = await stack.finish(making(form, [completing(NOTE)]))
    expect(JSON.parse((await madeBy(nowhere)).text ?? '')).toEqual(NOTE)
  })
})

describe('a text', () => {
  const words = '# Findings\n\n- One "thing"\n'

  test('is kept as it is, with its media type, and goes into prompts and outputs as text', async () => {
    const run = await stack.finish(making('{ kind: markdown }', [completing(words)]))
    expect(await madeBy(run)).toEqual({ mediaType: 'text/markdown', text: words })
    expect(run.output).toBe(words)
    expect(promptOf(run, 'use')).toContain(JSON.stringify(`\n${words}\n</artifact>`).slice(1, -1))
  })

  test('may be the plain answer, and may not be empty or an object', async () => {
    const plain = await stack.finish(making('{ kind: text }', [{ reply: 'Just words.' }]))
    expect(await madeBy(plain)).toEqual({ mediaType: 'text/plain', text: 'Just words.' })
    const object = await stack.finish(making('{ kind: markdown }', [completing({ a: 1 }), completing(words)]))
    expect((await madeBy(object)).text).toBe(words)
    expect(eventOf(object, 'artifact.rejected').data.errors).toEqual([
      { path: '$', message: 'must be string' },
    ])
  })

  test('needs no schema, and JSON does', async () => {
    await expect(stack.submit(making('{ kind: json }', []))).rejects.toThrow(/expected a schema, or kind/)
    await expect(stack.submit(making('{ kind: text, schema: note@1 }', []))).rejects.toThrow(
      /expected a schema/,
    )
    for (const path of ['../x', '/x', 'a/../b', 'a//b', './x', 'x/'])
      await expect(stack.submit(making(`{ kind: text, path: ${path} }`, []))).rejects.toThrow(
        /inside the workspace/,
      )
  })
})
