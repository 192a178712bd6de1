import { statementsOf } from './sql-statements.ts'

/** What a build before would stumble over, in words. */
interface Refusal {
  statement: string
  why: string
}

const IN_USE = 'a build before may still use it'
const ALWAYS: [pattern: RegExp, why: string][] = [
  [/^drop (?!trigger)\w+/, IN_USE],
  [/^truncate\b/, 'what a build before has written is lost'],
  [/^alter .*\b(?:rename\b|set schema\b)/, 'a build before knows it by its old name'],
  [/^alter table .*\balter (?:column )?"?\w+"? (?:set data )?type\b/, 'a build before writes the old type'],
  [/^alter table .*\bset not null\b/, 'a build before may write null'],
  [/^alter table .*\bdrop (?!not null\b|trigger\b|expression\b)/, IN_USE],
]

/**
 * The statements of a migration after which a build that does not know it might fail: what is taken away or renamed, and
 * what refuses rows that were fine before. What the migration itself has made is nobody's yet.
 */
export function destructiveIn(sql: string): Refusal[] {
  const statements = statementsOf(sql)
  const made = new Set(
    statements.flatMap((text) => /^create table (?:if not exists )?(\S+)/.exec(text)?.[1] ?? []),
  )
  const added = new Set(
    statements.flatMap((text) =>
      [...text.matchAll(/\badd column (?:if not exists )?(\S+)/g)].map(([, column = '']) => column),
    ),
  )
  return statements.flatMap((statement) => {
    const table =
      /^alter table (?:if exists )?(?:only )?(\S+)|^create unique index .*? on (?:only )?(\S+)/.exec(
        statement,
      )
    if (made.has(table?.[1] ?? table?.[2] ?? '')) return []
    if (isTriggerMadeAnew(statement, statements)) return []
    const reasons = ALWAYS.filter(([pattern]) => pattern.test(statement)).map(([, why]) => why)
    if (/^drop trigger\b/.test(statement)) reasons.push(IN_USE)
    reasons.push(...strictness(statement, added))
    return reasons.map((why) => ({ statement: statement.slice(0, 200), why }))
  })
}

/** What refuses rows of a build that does not know of it. */
function strictness(statement: string, added: ReadonlySet<string>): string[] {
  const reasons: string[] = []
  for (const [, rest = ''] of statement.matchAll(/\badd column (.*?)(?=, add |$)/g))
    if (/\bnot null\b|\bprimary key\b/.test(rest) && !/\bdefault\b|\bgenerated\b|\bserial\b/.test(rest))
      reasons.push('a build before does not write it')
  const columns =
    /\badd (?:constraint \S+ )?(?:unique|primary key|foreign key)[^(]*\(([^)]*)\)/.exec(statement)?.[1] ??
    /^create unique index [^(]*\(([^)]*)\)/.exec(statement)?.[1]
  if (columns?.split(',').some((column) => !added.has(column.trim())))
    reasons.push('rows of a build before may break it')
  if (/\badd (?:constraint \S+ )?(?:check|exclude)\b/.test(statement))
    reasons.push('rows of a build before may break it')
  return reasons
}

function isTriggerMadeAnew(statement: string, statements: readonly string[]): boolean {
  const name = /^drop trigger (?:if exists )?(\S+)/.exec(statement)?.[1]
  return name !== undefined && statements.some((other) => other.startsWith(`create trigger ${name} `))
}

/** The release since which what a migration takes away is unused, as its first lines say; undefined when they do not. */
export const unusedSince = (sql: string): string | undefined =>
  /^(?:--.*\n)*?-- contracts: unused since (\d+\.\d+\.\d+)\b/.exec(sql)?.[1]
