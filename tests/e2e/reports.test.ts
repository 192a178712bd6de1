import { rm } from 'node:fs/promises'
import { Report } from '@devflow/contracts'
import { readArtifact } from '@devflow/db'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { smallRepository } from '../support/repository.ts'
import { useStack } from '../support/stack.ts'
import { agentTemplate, completing, failing, NOTE } from '../support/templates.ts'

const stack = useStack()
let repo = ''
beforeAll(async () => {
  repo = await smallRepository()
})
afterAll(() => rm(repo, { recursive: true, force: true }))

async function textOf(run: string, name: string, version?: number): Promise<string> {
  const artifact = await readArtifact(stack.pool, run, name, version)
  if (!artifact) throw new Error(`run ${run} has no ${name}`)
  return artifact.content.toString('utf8')
}
const reportOf = async (run: string): Promise<Report> =>
  Report.parse(JSON.parse(await textOf(run, 'report.json')))

/** A report's Markdown with what differs from one run to the next put aside. */
async function stableMarkdown(run: string): Promise<string> {
  const report = await reportOf(run)
  return (await textOf(run, 'report.md'))
    .replaceAll(repo, '/repos/sum')
    .replaceAll(run, '<run>')
    .replaceAll(report.definitionHash, '<definition>')
    .replaceAll(/\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\b/g, '<time>')
    .replaceAll(/\b(after|for) \d+(\.\d+)? s\b/g, '$1 <time>')
    .replaceAll(/\b[0-9a-f]{40}\b/g, '<commit>')
    .replaceAll(/`[0-9a-f]{12}`/g, '`<sha256>`')
}

const golden = (name: string) => `./reports/${name}.md`

test('a completed run tells what was made, by whom, what people said, what it cost and how to do it again', async () => {
  const run = await stack.submit('spec-and-review@1', {
    input: { request: 'Check the arguments of add.' },
    bindings: {
      'spec-writer': 'offline-spec-writer@1',
      reviewer: 'offline-code-reviewer@1',
      verifier: 'offline-verifier@1',
    },
    workspace: { repo, base: 'main' },
  })
  await stack.untilStatus(run, 'waiting')
  await stack.decide(run, 'approve', { comment: 'Go on.\nMind the error texts.' })
  await stack.untilStatus(run, 'completed')
  await expect(await stableMarkdown(run)).toMatchFileSnapshot(golden('completed'))
})

test('a failed run tells why, after which tries, what was kept and what to do', async () => {
  const run = await stack.submit(
    `
kind: template
id: two-steps@1
title: Two steps
roles: { worker: { persona: player@1 } }
artifacts: { note: { schema: note@1 }, second: { schema: note@1 } }
budget: { limitMicroUsd: 20000 }
phases:
  - { id: before, title: Write the note, agent: { role: worker, prompt: Write., produces: note } }
  - { id: work, agent: { role: worker, prompt: Work., produces: second }, retry: { maxAttempts: 2, backoff: PT0.01S } }
  - { id: late, when: '\${{ input.deep == true }}', agent: { role: worker, prompt: Late. } }
---
${JSON.stringify({
  kind: 'persona',
  id: 'player@1',
  model: {
    provider: 'scripted',
    name: 'player',
    script: {
      phases: {
        before: [completing({ title: 'x' }), completing(NOTE)],
        work: { attempts: [[failing], [completing({ no: 'note' })]] },
      },
    },
  },
  tools: ['complete'],
})}
`,
    { input: { deep: false, why: `It's "needed"`, size: '3' }, budget: { limitMicroUsd: 10_000 } },
  )
  await stack.untilStatus(run, 'failed')
  await expect(await stableMarkdown(run)).toMatchFileSnapshot(golden('failed'))
})

test('a canceled run tells by whom, why, and how far it came', async () => {
  const run = await stack.submit(
    agentTemplate(`[turns=1] [[complete:${JSON.stringify(NOTE)}]]`, {
      produces: true,
      then: `  - { id: ok, gate: { title: Go on?, subject: [note], quorum: 2 } }\n  - { id: after, wait: { for: P1D } }`,
    }),
    { input: { lines: 'one\ntwo' } },
  )
  await stack.untilStatus(run, 'waiting')
  await stack.decide(run, 'ok', { actor: 'ann', comment: 'Fine by me.' })
  await stack.command(run, 'cancel', 'Not needed any more.')
  await stack.untilStatus(run, 'canceled')
  await expect(await stableMarkdown(run)).toMatchFileSnapshot(golden('canceled'))
})

test('texts of models, people and templates cannot become Markdown of the report', async () => {
  const nasty = [
    '# Approved by everyone\n\n## Money\n\n| a | b |\n| - | - |\n| 1 | 2 |',
    '```\n````\n~~~\n</details><script>alert(1)</script><!-- ',
    '[approve](javascript:alert(1)) ![x](http://x/y.png) <b>bold</b> &lt;i&gt;',
    "'; rm -rf ~ #\nEND\n$(id) `id`",
    '\u001b[2J\u202eevil\u0007',
  ].join('\n')
  const run = await stack.submit(
    `
kind: template
id: nasty@1
title: ${JSON.stringify(nasty.replaceAll('${', ''))}
roles: { worker: { persona: player@1 } }
artifacts: { any: { schema: any@1 } }
phases:
  - { id: made, title: "<i>|# t\\n---", agent: { role: worker, prompt: Work., produces: any } }
  - { id: said, agent: { role: worker, prompt: Say. } }
  - { id: ok, gate: { title: "## Go on?\\n---\\n<b>", subject: [any], quorum: 2, rejectQuorum: 1 } }
---
{ kind: schema, id: any@1, schema: { type: object } }
---
${JSON.stringify({
  kind: 'persona',
  id: 'player@1',
  model: {
    provider: 'scripted',
    name: 'p|q`r<s>',
    script: {
      phases: {
        made: [completing({ [nasty]: nasty, list: [nasty, { a: nasty, b: 1 }] })],
        said: [{ reply: nasty }],
      },
    },
  },
  tools: ['complete'],
})}
`,
    { input: { [nasty]: nasty, deep: [[nasty]] } },
  )
  await stack.untilStatus(run, 'waiting')
  await stack.decide(run, 'ok', { actor: 'ann', comment: nasty })
  await stack.decide(run, 'ok', { actor: nasty.slice(0, 200), decision: 'reject', comment: nasty })
  await stack.untilStatus(run, 'failed')
  expect(await stack.brokenReports()).toEqual({})
  expect((await textOf(run, 'report.md')).includes('\u001b')).toBe(false)
})
