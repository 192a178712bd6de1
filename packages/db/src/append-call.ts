import { storable, storableText } from '@devflow/contracts'
import type { Answer, ChunkLine, Line, Member, Overrun, Refusal } from './append-types.ts'

/** A line as it will be stored. `body`: an event's data as JSON, or a chunk's text. */
export interface StorableLine {
  line: Line
  key: string
  body: string | null
}

/** A member of a group, ready to be sent. */
export interface StorableMember {
  member: Member
  lines: StorableLine[]
}

/** Members of one session, in a row: only the last may reserve, and it alone may be refused. */
export type Party = readonly [StorableMember, ...StorableMember[]]

export interface AppendRow {
  verdicts: string[]
  seqs: (string | null)[]
  codes: (string | null)[]
  /** By member, where a budget of anyone's was gone past. */
  overruns: (Overrun[] | null)[] | null
}

const TO_ESCAPE = /["\\]/
const MAY_BE_UNSTORABLE = /\\u(0000|d[89a-f])/
const PARAMETERS = Array.from({ length: 30 }, (_, index) => `$${index + 1}`).join(', ')

export const APPEND = {
  name: 'append',
  text: `select verdicts, seqs, codes, overruns from devflow.append(${PARAMETERS})`,
}

/** What Postgres cannot hold, NUL and lone surrogates, becomes U+FFFD. */
export function storableLine(line: Line): StorableLine {
  const key = storableText(line.key)
  if (isChunk(line)) return { line, key, body: line.text === undefined ? null : storableText(line.text) }
  const plain = JSON.stringify(line.data ?? {})
  // As JSON a NUL or a lone surrogate is an escape: bodies that have none are most, and are looked through once.
  const body = MAY_BE_UNSTORABLE.test(plain) ? JSON.stringify(storable(line.data)) : plain
  return { line, key, body }
}

export function isChunk(line: Line): line is ChunkLine {
  return line.type === 'chunk' || line.type === 'chunk.reset'
}

/**
 * The parties of a group. What a turn leaves and what the next one reserves are two members, and an append costs by
 * party: the session's place is looked up once, and who is alone in a group is appended in lighter statements.
 */
export function partiesOf(group: readonly StorableMember[]): Party[] {
  const parties: [StorableMember, ...StorableMember[]][] = []
  const latest = new Map<string, [StorableMember, ...StorableMember[]]>()
  for (const next of group) {
    const party = latest.get(next.member.run)
    if (party && mayJoin(party.at(-1)?.member, next.member)) party.push(next)
    else {
      const begun: [StorableMember] = [next]
      latest.set(next.member.run, begun)
      parties.push(begun)
    }
  }
  return parties
}

function mayJoin(last: Member | undefined, { session, execution }: Member): boolean {
  return (
    last?.session !== undefined &&
    session !== undefined &&
    last.reserve === undefined &&
    last.session.id === session.id &&
    last.session.epoch === session.epoch &&
    last.execution === execution
  )
}

/** The arguments of `devflow.append`, as its migration names them: arrays, one a field. `owner`: whose slices are spent. */
export function appendValues(parties: readonly Party[], careful: boolean, owner = ''): unknown[] {
  const lengths = new Map<string, number>()
  const from: number[] = []
  const last: number[] = []
  const events = new Columns()
  const chunks = new Columns()
  const deliveries: number[] = []
  for (const [index, party] of parties.entries()) {
    const { run } = party[0].member
    let nth = lengths.get(run) ?? 0
    let begins = nth
    for (const { lines } of party) {
      begins = nth + 1
      for (const stored of lines) {
        nth += 1
        const { line } = stored
        if (isChunk(line)) {
          chunks.add(index + 1, nth, line.type === 'chunk.reset' ? 'reset' : line.kind, stored)
          deliveries.push(line.delivery)
        } else events.add(index + 1, nth, line.type, stored)
      }
    }
    lengths.set(run, nth)
    from.push(begins)
    last.push(nth)
  }
  const members = parties.map((party) => (party.at(-1) ?? party[0]).member)
  return [
    array(members.map(({ run }) => run)),
    array(from),
    array(last),
    texts(members.map(({ session }) => session?.id)),
    array(members.map(({ session }) => session?.epoch)),
    array(members.map(({ execution }) => execution)),
    texts(members.map((member) => member.reserve && storableText(reservationKey(member)))),
    array(members.map(({ reserve }) => reserve?.microUsd)),
    array(members.map(({ reserve }) => reserve?.tokens)),
    ...events.values(),
    // JSON has no line breaks of its own.
    events.bodies.join('\n'),
    ...chunks.values(),
    array(deliveries),
    texts(chunks.bodies),
    careful,
    texts(members.map(({ reserve }) => reserve?.persona)),
    owner,
    array(members.map(({ run }) => lengths.get(run))),
  ]
}

/** What events and chunks have in common, an array a field. */
class Columns {
  readonly #members: number[] = []
  readonly #nths: number[] = []
  readonly #types: (string | undefined)[] = []
  readonly #keys: string[] = []
  readonly #phases: (string | undefined)[] = []
  readonly #attempts: (number | undefined)[] = []
  readonly #turns: (number | undefined)[] = []
  readonly bodies: (string | null)[] = []

  add(member: number, nth: number, type: string | undefined, { line, key, body }: StorableLine): void {
    this.#members.push(member)
    this.#nths.push(nth)
    this.#types.push(type)
    this.#keys.push(key)
    this.#phases.push(line.phase)
    this.#attempts.push(line.attempt)
    this.#turns.push(line.turn)
    this.bodies.push(body)
  }

  /** As arguments, but for the bodies. */
  values(): string[] {
    return [
      array(this.#members),
      array(this.#nths),
      array(this.#types),
      texts(this.#keys),
      texts(this.#phases),
      array(this.#attempts),
      array(this.#turns),
    ]
  }
}

/** The answers of all members of the parties. */
export function answersOf(row: AppendRow, parties: readonly Party[]): Map<StorableMember, Answer> {
  const answers = new Map<StorableMember, Answer>()
  for (const [index, party] of parties.entries()) {
    const answer = answerOf(row, index)
    const { verdict } = answer
    // Of a party some of which is written: where the last written line stands.
    let seq = Number(row.seqs[index])
    for (const [back, one] of party.toReversed().entries()) {
      if (back === 0 || verdict === 'fenced' || verdict === 'no_run') answers.set(one, answer)
      else answers.set(one, { verdict: 'written', seq })
      if (!(back === 0 && verdict === 'refused')) seq -= one.lines.length
    }
  }
  return answers
}

function answerOf({ verdicts, seqs, codes, overruns }: AppendRow, index: number): Answer {
  const verdict = verdicts[index]
  const past = overruns?.[index]
  if (verdict === 'written' || verdict === 'duplicate')
    return { verdict, seq: Number(seqs[index]), ...(past ? { past } : {}) }
  if (verdict === 'refused') {
    const over = past?.[0]
    return { verdict, code: codes[index] as Refusal, ...(over ? { over } : {}) }
  }
  return { verdict: verdict as 'fenced' | 'no_run' }
}

/** An array as Postgres reads it, of values that need no quotes. Quicker than the driver's, which quotes everything. */
function array(values: readonly (string | number | undefined)[]): string {
  let all = ''
  for (const value of values) all += value === undefined ? ',NULL' : `,${value}`
  return `{${all.slice(1)}}`
}

/** The same of any text. Few have anything to escape, and the driver looks twice through each. */
function texts(values: readonly (string | null | undefined)[]): string {
  let all = ''
  for (const value of values) all += typeof value === 'string' ? `,${quoted(value)}` : ',NULL'
  return `{${all.slice(1)}}`
}

const quoted = (text: string): string => `"${TO_ESCAPE.test(text) ? text.replace(/["\\]/g, '\\$&') : text}"`

function reservationKey(member: Member): string {
  const line = member.lines.find(({ type }) => type === 'call.reserved')
  if (!line) throw new Error('a member that reserves has a line `call.reserved`')
  return line.key
}
