import { type AgentStep, nth } from './case.ts'
import { type Failure, failure, type Running } from './running.ts'
import { echoOf, helpOf } from './seen.ts'

/** What an agent is given beside its task. */
interface Given {
  see: unknown
  inputs: Record<string, unknown>
  /** What people have said who want it otherwise. */
  asked: string[] | undefined
}

/** The turns of an agent's attempt, as phase/attempt/turn, those of agents it asks for help too; and what comes of them. */
export function acted(
  { name, makes, replies, hangs }: AgentStep,
  { id, attempt }: Running,
  { see, inputs, asked }: Given,
): { turns: string[]; content: unknown; failure: Failure | undefined } {
  if (hangs) return { turns: [], content: undefined, failure: failure('TIMEOUT', 'phase_timeout') }
  const { helpers, tools, end, n } = nth(replies, name, id, attempt)
  const isBroken = makes && (end === 'repaired' || end === 'broken')
  const isAnswered = end !== 'refused' && end !== 'down'
  const own = (helpers > 0 ? 1 : 0) + tools + (isBroken ? 2 : isAnswered ? 1 : 0)
  const turns = [
    ...count(helpers, (helper) => `${id}~1.${helper + 1}/${attempt}/1`),
    ...count(own, (turn) => `${id}/${attempt}/${turn + 1}`),
  ]
  const helped = count(helpers, (helper) => helpOf(see, helper))
  const of = echoOf(see, { ...inputs, ...(asked ? { asked } : {}), ...(helpers > 0 ? { helped } : {}) })
  return { turns, content: makes ? { n, of } : { text: of }, failure: failureOf(end, makes) }
}

function failureOf(end: AgentStep['replies'][number]['end'], makes: boolean): Failure | undefined {
  if (end === 'refused') return failure('INVALID', 'provider_rejected_request')
  if (end === 'down') return failure('UNAVAILABLE', 'provider_unavailable')
  return makes && end === 'broken' ? failure('INVALID', 'artifact_invalid') : undefined
}

const count = <T>(length: number, of: (at: number) => T): T[] => Array.from({ length }, (_, at) => of(at))
