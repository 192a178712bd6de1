import { DevflowError } from '@devflow/contracts'
import { expect } from 'vitest'
import { type ReadResult, readEntries } from './read-entries.ts'
import { Registry } from './registry.ts'

export const TEMPLATE = {
  kind: 'template',
  id: 't@1',
  input: {
    type: 'object',
    properties: {
      request: { type: 'string' },
      n: { type: 'number' },
      more: { type: 'object' },
      list: { type: 'array' },
    },
  },
  roles: {
    writer: { capabilities: ['spec'] },
    reviewer: { capabilities: ['review'], differentVendorFrom: 'writer' },
  },
  artifacts: { spec: { schema: 's@1' }, findings: { schema: 's@1' } },
  phases: [
    { id: 'write', agent: { role: 'writer', prompt: 'Write', produces: 'spec' } },
    { id: 'review', agent: { role: 'reviewer', prompt: 'Review', inputs: ['spec'], produces: 'findings' } },
    { id: 'ok', gate: { title: 'OK?', subject: ['spec'] } },
  ],
}
export const SCHEMA = {
  kind: 'schema',
  id: 's@1',
  schema: {
    type: 'object',
    properties: {
      title: { type: 'string' },
      items: { type: 'array', items: { type: 'object', properties: { id: {} } } },
    },
  },
}
export const persona = (id: string, capability: string, model: string, provider = 'openrouter') => ({
  kind: 'persona',
  id,
  capabilities: [capability],
  model: { provider, name: model },
  tools: ['read_file', 'list_dir', 'complete'],
})
export const PERSONAS = [
  persona('w@1', 'spec', 'deepseek/v3'),
  persona('r-a@1', 'review', 'deepseek/v3'),
  persona('r-b@1', 'review', 'qwen/coder'),
  persona('off-w@1', 'spec', 'rules', 'offline'),
]

export function registryOf(...entries: unknown[]): Registry {
  const read: ReadResult = { entries: [], errors: [] }
  for (const entry of entries) {
    const one = readEntries(JSON.stringify(entry), 'test.json')
    read.entries.push(...one.entries)
    read.errors.push(...one.errors)
  }
  expect(read.errors).toEqual([])
  return new Registry([read])
}

export const withTemplate = (change: object, ...more: unknown[]) =>
  registryOf({ ...TEMPLATE, ...change }, SCHEMA, ...PERSONAS, ...more)

export function refusal(work: () => unknown): DevflowError {
  try {
    work()
  } catch (error) {
    if (error instanceof DevflowError) return error
    throw error
  }
  throw new Error('was not refused')
}
