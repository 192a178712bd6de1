import { type BoundPersona, type Definition, DevflowError, type ErrorDetail } from '@devflow/contracts'
import { type Bindings, type Persona, vendorsOf } from './bind-roles.ts'
import { compareText } from './entry-id.ts'
import { isKind, type Registry } from './registry.ts'

/** Those who play in a definition: by role, and by id those they may ask for help. */
export type Cast = Pick<Definition, 'roles' | 'subagents'>

/** So many may be asked, through however many others. */
const MOST_SUBAGENTS = 100

/**
 * Freezes the personas that play the roles, and all whom they name to ask for help, directly or through others (I9).
 * Throws DevflowError INVALID `binding_failed` where one names a persona that there is not.
 */
export function castOf(registry: Registry, bound: Bindings): Cast {
  const errors: ErrorDetail[] = []
  const asked = new Map<string, Persona>()
  const freeze = (persona: Persona, path: string): BoundPersona => {
    const subagents = persona.entry.subagents?.flatMap((name) => {
      const found = registry.get(name)
      if (isKind(found, 'persona')) {
        asked.set(found.id, found)
        return [found.id]
      }
      errors.push({ path, message: `${persona.id} may ask ${name}, and there is no persona ${name}` })
      return []
    })
    return boundPersona(persona, subagents && [...new Set(subagents)])
  }
  const roles: Cast['roles'] = {}
  for (const [role, persona] of [...bound].sort(byName)) roles[role] = freeze(persona, `roles.${role}`)
  const frozen = new Map<string, BoundPersona>()
  // A map that grows is gone through to its end.
  for (const [id, persona] of asked) {
    if (frozen.size === MOST_SUBAGENTS) {
      errors.push({ path: 'roles', message: `personas may be asked for help: at most ${MOST_SUBAGENTS}` })
      break
    }
    frozen.set(id, freeze(persona, 'roles'))
  }
  const [first] = errors
  if (first)
    throw new DevflowError('INVALID', 'binding_failed', `${first.path}: ${first.message}`, { errors })
  return { roles, ...(frozen.size > 0 ? { subagents: Object.fromEntries([...frozen].sort(byName)) } : {}) }
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => compareText(a, b)

function boundPersona({ id, hash, entry }: Persona, subagents: string[] | undefined): BoundPersona {
  const { title, mcp, subagentLimits } = entry
  return {
    id,
    hash,
    ...(title === undefined ? {} : { title }),
    vendor: vendorsOf(entry)[0],
    model: entry.model,
    instructions: entry.instructions ?? '',
    tools: entry.tools ?? [],
    commands: entry.commands ?? [],
    ...(mcp === undefined ? {} : { mcp }),
    ...(subagents === undefined ? {} : { subagents }),
    ...(subagentLimits === undefined ? {} : { subagentLimits }),
  }
}
