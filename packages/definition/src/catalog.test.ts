import { beforeAll, describe, expect, it } from 'vitest'
import { checkArtifact, checkInput } from './check-values.ts'
import { compile } from './compile.ts'
import { refusal } from './registry.fixture.ts'
import { createRegistry, type Registry } from './registry.ts'

describe('the built-in catalog', () => {
  let registry: Registry
  beforeAll(async () => {
    registry = await createRegistry()
  })

  it('holds nothing that is wrong', () => {
    expect(registry.errors).toEqual([])
    for (const { id } of registry.list({ kind: 'template' }))
      expect(compile(registry, { template: id }).hash).toHaveLength(64)
    for (const { id, entry } of registry.list({ kind: 'persona' })) {
      expect(entry).toMatchObject({
        id,
        instructions: expect.any(String),
        capabilities: [expect.any(String)],
      })
    }
  })

  it('reviews a spec by another vendor than its author, with and without a key', () => {
    const withKeys = (...keys: string[]) =>
      compile(registry, { template: 'spec-and-review@1', hasKey: (provider) => keys.includes(provider) })
    const { definition, bindings } = withKeys('openrouter')
    expect(bindings).toEqual({
      'spec-writer': 'openrouter-deepseek-spec-writer@1',
      reviewer: 'openrouter-qwen-code-reviewer@1',
      verifier: 'openrouter-deepseek-verifier@1',
    })
    expect(withKeys('anthropic', 'google').bindings).toEqual({
      'spec-writer': 'google-gemini-spec-writer@1',
      reviewer: 'anthropic-claude-code-reviewer@1',
      verifier: 'anthropic-claude-verifier@1',
    })
    expect(definition.budget).toEqual({ limitMicroUsd: 500_000, onExceeded: 'prompt' })
    const offline = {
      'spec-writer': 'offline-spec-writer',
      reviewer: 'offline-code-reviewer',
      verifier: 'offline-verifier',
    }
    const request = { template: 'spec-and-review', bindings: offline, hasKey: () => false }
    expect(compile(registry, request).bindings.reviewer).toBe('offline-code-reviewer@1')
    const scripted = { template: 'spec-and-review', bindings: { reviewer: 'fake-reviewer' } }
    expect(compile(registry, scripted).definition.roles.reviewer?.model.script).toMatchObject({ turns: [{}] })
  })

  it('checks the input and the artifacts of a run', () => {
    const { definition } = compile(registry, { template: 'spec-and-review@1' })
    expect(checkInput(definition, { request: 'x' })).toEqual([])
    expect(checkInput(definition, undefined)).toEqual([{ path: 'request', message: 'is required' }])
    expect(checkInput(definition, { request: '' })[0]?.path).toBe('request')
    const finding = { id: 'F1', severity: 'minor', title: 't', detail: 'd', requirement: 'R1' }
    expect(checkArtifact(definition, 'findings', { summary: 's', findings: [finding] })).toEqual([])
    expect(
      checkArtifact(definition, 'findings', { summary: 's', findings: [{ ...finding, severity: 'bad' }] }),
    ).toEqual([{ path: 'findings[0].severity', message: expect.stringContaining('must be one of') }])
    const spec = {
      title: 't',
      summary: 's',
      requirements: [{ id: 'R1', text: 'x', evidence: [{ path: 'a.ts', line: 1, note: 'n' }] }],
      acceptance: ['x'],
    }
    expect(checkArtifact(definition, 'spec', spec)).toEqual([])
    const verdict = {
      verdict: 'needs_work',
      reasons: ['r'],
      checks: [{ requirement: 'R1', status: 'fail', evidence: 'e' }],
    }
    expect(checkArtifact(definition, 'verdict', verdict)).toEqual([])
    expect(refusal(() => checkArtifact(definition, 'toString', {})).code).toBe('artifact_not_found')
  })

  it('has a scripted reviewer whose words are valid findings', () => {
    const { definition } = compile(registry, {
      template: 'spec-and-review',
      bindings: { reviewer: 'fake-reviewer' },
    })
    const script = definition.roles.reviewer?.model.script as {
      turns: { toolCalls: { arguments: { content: unknown } }[] }[]
    }
    expect(checkArtifact(definition, 'findings', script.turns[0]?.toolCalls[0]?.arguments.content)).toEqual(
      [],
    )
  })
})
