import { expect, it } from 'vitest'
import { compile } from './compile.ts'
import { persona, refusal, withTemplate } from './registry.fixture.ts'

const asking = (id: string, subagents: string[]) => ({ ...persona(id, 'spec', 'deepseek/v3'), subagents })
const LEAD = {
  roles: { lead: { persona: 'lead@1' } },
  phases: [{ id: 'x', agent: { role: 'lead', prompt: 'x' } }],
}

it('freezes the personas that others may ask for help, directly or through others, each once', () => {
  const registry = withTemplate(
    LEAD,
    asking('lead@1', ['scout', 'scout@2']),
    asking('scout@1', ['scout@2']),
    asking('scout@2', ['digger@1', 'scout@2']),
    persona('digger@1', 'dig', 'qwen/coder'),
  )
  const { definition } = compile(registry, { template: 't' })
  expect(definition.roles.lead?.subagents).toEqual(['scout@2'])
  expect(Object.keys(definition.subagents ?? {})).toEqual(['digger@1', 'scout@2'])
  expect(definition.subagents?.['scout@2']?.subagents).toEqual(['digger@1', 'scout@2'])
})

it('refuses a persona that may ask one that there is not', () => {
  const registry = withTemplate(LEAD, asking('lead@1', ['scout@1']), asking('scout@1', ['nobody@1']))
  const error = refusal(() => compile(registry, { template: 't' }))
  expect([error.kind, error.code]).toEqual(['INVALID', 'binding_failed'])
  expect(error.errors).toEqual([
    { path: 'roles', message: 'scout@1 may ask nobody@1, and there is no persona nobody@1' },
  ])
})
