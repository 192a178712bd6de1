import { describe, expect, it } from 'vitest'
import { compile } from './compile.ts'
import { definitionChanges, rebind } from './rebind.ts'
import { PERSONAS, persona, refusal, registryOf, SCHEMA, TEMPLATE, withTemplate } from './registry.fixture.ts'

const pinned = compile(withTemplate({}), { template: 't' }).definition
const other = persona('r-c@1', 'review', 'meta/llama')
const bindings = { reviewer: 'r-c@1' }

describe('binding a pinned definition anew', () => {
  it('changes the role that was asked for, and leaves the others with whom they had', () => {
    // A newer persona that would be bound by itself now.
    const { definition, bindings: bound } = rebind(
      withTemplate({}, other, persona('w@2', 'spec', 'deepseek/v4')),
      pinned,
      { bindings },
    )
    expect(bound).toEqual({ writer: 'w@1', reviewer: 'r-c@1' })
    expect(definitionChanges(pinned, definition, ['reviewer'])).toEqual([])
    expect(definitionChanges(pinned, definition, [])).toEqual(['roles.reviewer'])
  })

  it('does without the persona that is replaced', () => {
    const left = PERSONAS.filter(({ id }) => id !== 'r-b@1')
    expect(rebind(registryOf(TEMPLATE, SCHEMA, ...left, other), pinned, { bindings }).bindings).toEqual({
      writer: 'w@1',
      reviewer: 'r-c@1',
    })
  })

  it('names the parts that the registry has no more as they were', () => {
    const [first, ...rest] = TEMPLATE.phases
    const phases = [{ ...first, agent: { ...first?.agent, prompt: 'Write otherwise' } }, ...rest]
    const error = refusal(() => rebind(withTemplate({ phases }, other), pinned, { bindings }))
    expect(error).toMatchObject({
      kind: 'CONFLICT',
      code: 'entries_changed',
      errors: [{ path: 'phases.write' }],
    })
    expect(error.message).toContain('Fork it without bindings')
    const gone = refusal(() => rebind(registryOf(SCHEMA, ...PERSONAS, other), pinned, { bindings }))
    expect(gone).toMatchObject({ code: 'entries_changed', errors: [{ path: 'template' }] })
    const without = PERSONAS.filter(({ id }) => id !== 'w@1')
    expect(
      refusal(() => rebind(registryOf(TEMPLATE, SCHEMA, ...without, other), pinned, { bindings })),
    ).toMatchObject({ code: 'entries_changed', errors: [{ path: 'bindings.writer' }] })
  })

  it('refuses what is wrong with the bindings as a submission would', () => {
    const asked = { bindings: { reviewer: 'nobody@1' } }
    expect(refusal(() => rebind(withTemplate({}), pinned, asked))).toMatchObject({
      kind: 'INVALID',
      code: 'binding_failed',
      errors: [{ path: 'bindings.reviewer' }],
    })
    expect(refusal(() => rebind(withTemplate({}), pinned, { bindings: { nobody: 'w@1' } }))).toMatchObject({
      code: 'binding_failed',
    })
  })

  it('says so where a key is all that is missing, of a role that stays too', () => {
    const asked = { bindings, hasKey: () => false }
    const error = refusal(() => rebind(withTemplate({}, other), pinned, asked))
    expect(error).toMatchObject({ kind: 'INVALID', code: 'missing_key' })
    expect(error.message).toContain('OPENROUTER_API_KEY')
  })
})
