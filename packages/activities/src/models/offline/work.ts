import { type Brief, isRecord } from './brief.ts'
import { composeFindings } from './findings.ts'
import { fillRequired, minimalInstance } from './minimal-instance.ts'
import { wishesForRepository } from './perceive.ts'
import { lookAt, requirementsOf, wishesForPlaces } from './places.ts'
import { type Seen, type Wish, wishKey } from './seen.ts'
import { composeSpec, requestOf } from './spec.ts'
import { composeVerdict } from './verdict.ts'

/** A kind of work: what to look at, as long as there is something, and what to make of it in the end. */
export interface Work {
  wishes(seen: Seen): Wish[]
  compose(seen: Seen): unknown
}

/** Chooses the work by what the output schema asks for; its shape counts, not its name. */
export function workFor(brief: Brief): Work {
  const asks = (...fields: string[]) => {
    const properties = brief.schema?.properties
    return isRecord(properties) && fields.every((field) => field in properties)
  }
  const chosen = asks('requirements', 'acceptance')
    ? writeSpec(brief)
    : asks('findings')
      ? review(brief)
      : asks('verdict', 'checks')
        ? verify(brief)
        : other(brief)
  const { schema } = brief
  if (!schema) return chosen
  return {
    wishes: chosen.wishes,
    compose: (seen) => {
      const content = chosen.compose(seen)
      return isRecord(content) ? fillRequired(schema, content) : content
    },
  }
}

const writeSpec = ({ task }: Brief): Work => ({
  wishes: (seen) => wishesForRepository(requestOf(task), seen),
  compose: (seen) => composeSpec(task, seen),
})

/** The artifact that has this field, whatever it is called. */
const inputWith = ({ artifacts }: Brief, field: string): unknown =>
  [...artifacts.values()].find((value) => isRecord(value) && field in value)

const wasAsked = (seen: Seen) => (wish: Wish) => seen.asked.has(wishKey(wish))

function review(brief: Brief): Work {
  const spec = inputWith(brief, 'requirements')
  const requirements = requirementsOf(spec)
  return {
    wishes: () => wishesForPlaces(requirements),
    compose: (seen) => composeFindings(spec, requirements, lookAt(requirements, seen, wasAsked(seen))),
  }
}

function verify(brief: Brief): Work {
  const requirements = requirementsOf(inputWith(brief, 'requirements'))
  return {
    wishes: () => wishesForPlaces(requirements),
    compose: (seen) =>
      composeVerdict(requirements, inputWith(brief, 'findings'), lookAt(requirements, seen, wasAsked(seen))),
  }
}

/** Work the rules do not know: a look around, and the least that the schema allows. */
const other = ({ task, schema }: Brief): Work => ({
  wishes: (seen) =>
    schema ? [{ name: 'list_dir', arguments: { path: '.' } }] : wishesForRepository(task, seen),
  compose: (seen) => (schema ? minimalInstance(schema) : composeSpec(task, seen).summary),
})
