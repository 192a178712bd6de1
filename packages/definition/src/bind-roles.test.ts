import type { Provider } from '@devflow/contracts'
import { describe, expect, it } from 'vitest'
import { compile } from './compile.ts'
import { PERSONAS, persona, refusal, registryOf, SCHEMA, TEMPLATE, withTemplate } from './registry.fixture.ts'

describe('binding roles', () => {
  const bind = (
    bindings: Record<string, string>,
    hasKey?: (provider: Provider) => boolean,
    ...more: unknown[]
  ) => compile(withTemplate({}, ...more), { template: 't', bindings, hasKey }).bindings

  it('takes an override, and gives the others what still fits', () => {
    expect(bind({ writer: 'off-w' })).toEqual({ writer: 'off-w@1', reviewer: 'r-a@1' })
    expect(bind({ reviewer: 'r-b@1' })).toEqual({ writer: 'w@1', reviewer: 'r-b@1' })
  })

  it('chooses another author when that lets the reviewer differ', () => {
    const other = persona('z-writer@1', 'spec', 'mistral/large')
    expect(bind({ reviewer: 'r-a@1' }, undefined, other)).toEqual({ writer: 'z-writer@1', reviewer: 'r-a@1' })
  })

  it.each([
    [{ reviewer: 'r-a' }, 'bindings.reviewer', 'must be of another vendor than writer'],
    [{ writer: 'nobody' }, 'bindings.writer', 'there is no persona nobody'],
    [{ writer: 's@1' }, 'bindings.writer', 'there is no persona s@1'],
    [{ painter: 'w@1' }, 'bindings.painter', 'no role painter'],
  ])('refuses the override %j', (bindings, path, message) => {
    const error = refusal(() => bind(bindings))
    expect([error.kind, error.code]).toEqual(['INVALID', 'binding_failed'])
    expect(error.errors).toEqual([{ path, message: expect.stringContaining(message) }])
  })

  it('counts the vendors of fallbacks too', () => {
    const model = { provider: 'openrouter', name: 'meta/llama', fallbacks: ['deepseek/v3'] }
    const error = refusal(() =>
      bind({ reviewer: 'mixed@1' }, undefined, { ...persona('mixed@1', 'review', 'x'), model }),
    )
    expect(error.errors?.[0]?.message).toContain('deepseek')
  })

  it('passes over personas without a key, and names the variable when nobody is left', () => {
    const direct = [
      persona('d-w@1', 'spec', 'claude', 'anthropic'),
      persona('d-r@1', 'review', 'gpt', 'openai'),
    ]
    expect(bind({}, (provider) => provider !== 'openrouter', ...direct)).toEqual({
      writer: 'd-w@1',
      reviewer: 'd-r@1',
    })
    const error = refusal(() => bind({ writer: 'off-w' }, () => false))
    expect(error.errors).toEqual([
      {
        path: 'roles.reviewer',
        message: expect.stringMatching(/OPENROUTER_API_KEY.*devflow login openrouter,/),
      },
    ])
    expect(refusal(() => bind({ writer: 'w@1' }, () => false)).errors?.map(({ path }) => path)).toContain(
      'bindings.writer',
    )
  })

  it('never lets a stand-in play by itself', () => {
    const registry = registryOf(
      { ...TEMPLATE, roles: { writer: { capabilities: ['spec'] } }, phases: [TEMPLATE.phases[0]] },
      SCHEMA,
      PERSONAS[3],
    )
    expect(refusal(() => compile(registry, { template: 't' })).errors).toEqual([
      { path: 'roles.writer', message: 'there is no persona with the capabilities spec' },
    ])
  })

  it('takes the newest version of a persona', () => {
    expect(
      bind({}, undefined, persona('w@10', 'spec', 'deepseek/v4'), persona('w@9', 'spec', 'deepseek/v4'))
        .writer,
    ).toBe('w@10')
  })

  it('lets a template name its personas', () => {
    const roles = { ...TEMPLATE.roles, writer: { persona: 'off-w@1' } }
    expect(compile(withTemplate({ roles }), { template: 't' }).bindings.writer).toBe('off-w@1')
  })
})
