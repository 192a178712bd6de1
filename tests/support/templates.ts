/** A template with one gate, by its rules in YAML's flow style. */
export const gateTemplate = (rules = ''): string => `
kind: template
id: gate@1
title: One gate
phases:
  - id: ok
    gate: { title: Go on?, ${rules} }
`

export interface AgentTemplate {
  /** Fields of the phase in YAML's flow style, such as `retry: { maxAttempts: 3 }`. */
  phase?: string
  /** The artifact it produces must be a note. */
  produces?: boolean
  /** Phases after it, as YAML at the phases' indentation. */
  then?: string
}

/** One agent phase `work`, played by a script (see the scripted model). */
export const scriptedTemplate = (
  script: object,
  { phase, produces, then = '' }: AgentTemplate = {},
): string => `
kind: template
id: scripted@1
title: Scripted work
roles: { worker: { persona: player@1 } }
artifacts: { note: { schema: note@1 }, second: { schema: note@1 } }
phases:
  - { id: work, agent: { role: worker, prompt: Work. ${produces ? ', produces: note' : ''} }${phase ? `, ${phase}` : ''} }
${then}
---
${JSON.stringify({ kind: 'persona', id: 'player@1', model: { provider: 'scripted', name: 'player', script }, tools: ['list_dir', 'complete'] })}
`

/** One agent phase `work` behind the stand-in for OpenRouter; the prompt is its part, see \`playAgent\`. */
export const agentTemplate = (prompt: string, { phase, produces, then = '' }: AgentTemplate = {}): string => `
kind: template
id: agent-work@1
title: Work
roles: { worker: { persona: agent@1 } }
artifacts: { note: { schema: note@1 }, second: { schema: note@1 } }
phases:
  - { id: work, agent: { role: worker, prompt: ${JSON.stringify(prompt)} ${produces ? ', produces: note' : ''} }${phase ? `, ${phase}` : ''} }
${then}
`

/** A turn that calls `complete` with a content. */
export const completing = (content: unknown): object => ({
  reply: 'Done.',
  toolCalls: [{ name: 'complete', arguments: { content } }],
})

/** A turn that only looks around. */
export const looking = { reply: 'I look.', toolCalls: [{ name: 'list_dir', arguments: { path: '.' } }] }

/** A provider's error that no further call mends: the attempt fails. */
export const failing = { error: { code: 'overloaded', message: 'Too much to do.', kind: 'UNAVAILABLE' } }

export const NOTE = { title: 'A note', size: 1 }

/** A persona played by a script. */
export const scriptedPersona = (id: string, script: object): string =>
  `---\n${JSON.stringify({ kind: 'persona', id, model: { provider: 'scripted', name: id, script }, tools: ['list_dir', 'complete'] })}\n`

/** A template of phases given as YAML at the phases' indentation; roles `a` and `b` are played by the scripts. */
export const flowTemplate = (
  phases: string,
  { a = {}, b = {}, output = {} }: { a?: object; b?: object; output?: object } = {},
): string => `
kind: template
id: flow@1
roles: { a: { persona: a@1 }, b: { persona: b@1 } }
artifacts: { note: { schema: note@1 }, second: { schema: note@1 } }
phases:
${phases}
output: ${JSON.stringify(output)}
${scriptedPersona('a@1', { turns: [{ reply: 'Done.' }], ...a })}${scriptedPersona('b@1', { turns: [{ reply: 'Done.' }], ...b })}`
