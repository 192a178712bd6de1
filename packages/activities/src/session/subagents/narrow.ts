import type { BoundPersona } from '@devflow/contracts'
import type { ToolSpec } from '../../models/model.ts'
import { builtTools, effectsOf, toolSpecs } from '../../tools/index.ts'
import type { Session } from '../session.ts'
import { askableBy, REQUEST_SUBAGENT, requestSpec } from './spec.ts'

/** How deep agents may be asked when a persona does not say. */
const DEFAULT_DEPTH = 2

/** How deep those may ask that a session with so much left asks. */
export const depthFor = ({ subagentLimits }: BoundPersona, left = Number.POSITIVE_INFINITY): number =>
  Math.min(left, subagentLimits?.depth ?? (Number.isFinite(left) ? left : DEFAULT_DEPTH))

/** What one that is asked for help may do: what its persona has and the asking session has too; of several, only what changes nothing. */
export function narrowedTools(
  asking: Pick<Session, 'tools' | 'servers' | 'definition'>,
  persona: BoundPersona,
  depthLeft: number,
  readsOnly: boolean,
): ToolSpec[] {
  const theirs = new Set(asking.tools.map(({ name }) => name))
  const own = builtTools(persona.tools).filter(
    (name) => name !== 'complete' && theirs.has(name) && !(readsOnly && effectsOf(name)),
  )
  const served = new Set(
    (persona.mcp ?? []).flatMap(({ name, tools }) => tools.map((tool) => `${name}__${tool}`)),
  )
  const ofServers = (asking.servers?.specs ?? []).filter(({ name }) => theirs.has(name) && served.has(name))
  const asks = depthLeft > 0 && theirs.has(REQUEST_SUBAGENT) && persona.tools.includes(REQUEST_SUBAGENT)
  const request = asks ? [requestSpec(askableBy(asking.definition, persona))] : []
  return [...toolSpecs(own), ...ofServers, ...request]
}

/** The commands that both may run: of two prefixes one of which begins with the other, the longer. */
export function narrowedCommands(asking: readonly string[], own: readonly string[]): string[] {
  const words = (prefix: string) => prefix.split(/\s+/).filter(Boolean)
  const beginsWith = (long: string[], short: string[]) => short.every((word, index) => long[index] === word)
  const both = own.flatMap((mine) =>
    asking.flatMap((theirs) => {
      const [a, b] = [words(mine), words(theirs)]
      if (a.length === 0 || b.length === 0) return []
      return beginsWith(a, b) ? [mine] : beginsWith(b, a) ? [theirs] : []
    }),
  )
  return [...new Set(both)]
}
