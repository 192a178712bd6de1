import { documentsOf, type Exchange, textOf } from './exchange.ts'

/** Whose values name an account, a person or one of their machines, wherever providers say them. */
const NAMES_SOMEBODY = new RegExp(
  `("(?:${[
    ...['user_id', 'creator_user_id', 'external_user', 'org_id', 'organization_id', 'workspace_id'],
    ...['app_id', 'api_key_id', 'preset_id', 'upstream_id', 'request_id'],
    ...['http_referer', 'origin', 'user_agent'],
  ].join('|')})"\\s*:\\s*)("(?:[^"\\\\]|\\\\.)*"|\\d+)`,
  'g',
)
const ACCOUNT = /\b(user|org)_[A-Za-z0-9]{12,}\b/g
const KEY = /\bsk-or-[\w.…-]+/g
const GENERATION = /\bgen-\d+-[A-Za-z0-9]+/g
const UUID = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g

export interface Private {
  /** Texts that never stay: keys. */
  secrets: string[]
  /** Folders of this machine, and the names they are given instead: `{'/home/kim/devflow': '/checkout'}`. */
  folders: Record<string, string>
}

/**
 * Takes out of exchanges what is private. An id becomes another one of its kind, everywhere the same. Rejects exchanges
 * that still say something private, such as a path of which each event holds one letter.
 */
export function scrubbed(exchanges: readonly Exchange[], { secrets, folders }: Private): Exchange[] {
  const ids = new Map<string, string>()
  const renamed = (id: string, name: (n: string) => string) => {
    const known = ids.get(id) ?? name(String(ids.size + 1))
    ids.set(id, known)
    return known
  }
  const paths = Object.entries(folders)
    // `/` stands in every text.
    .filter(([folder, name]) => folder.length > 2 && folder !== name)
    .sort(([one], [other]) => other.length - one.length)
    .map(([folder, name]) => [pathPattern(folder), name] as const)
  const clean = (text: string): string => {
    let said = text
    for (const secret of secrets.filter((one) => one !== '')) said = said.replaceAll(secret, 'sk-scrubbed')
    for (const [pattern, name] of paths) said = said.replace(pattern, name)
    return said
      .replace(KEY, 'sk-scrubbed')
      .replace(NAMES_SOMEBODY, (_, name: string, value: string) =>
        value.startsWith('"') ? `${name}"scrubbed"` : `${name}0`,
      )
      .replace(ACCOUNT, '$1_scrubbed')
      .replace(GENERATION, (id) => renamed(id, (n) => `gen-1-recorded${n.padStart(12, '0')}`))
      .replace(UUID, (id) => renamed(id, (n) => `00000000-0000-7000-8000-${n.padStart(12, '0')}`))
  }
  const result = exchanges.map((exchange) => eachText(exchange, clean))
  for (const exchange of result) {
    const said = spoken(exchange)
    if (secrets.some((secret) => secret !== '' && said.includes(secret)) || said.search(KEY) !== -1)
      throw new Error(`Exchange ${exchange.n} says a key. Nothing was written; record again.`)
    const path = paths.find(([pattern]) => said.search(pattern) !== -1)?.[1]
    if (path !== undefined)
      throw new Error(`Exchange ${exchange.n} says where ${path} is. Nothing was written; record again.`)
  }
  return result
}

/** The folder as such, not as a part of another name, with slashes or with backslashes as JSON has them. */
function pathPattern(folder: string): RegExp {
  const forms = [folder, JSON.stringify(folder).slice(1, -1)].map((form) => RegExp.escape(form))
  return new RegExp(`(?<![\\w.-])(?:${forms.join('|')})(?![\\w-])`, 'g')
}

function eachText<Value>(value: Value, change: (text: string) => string): Value {
  if (typeof value === 'string') return change(value) as Value
  if (Array.isArray(value)) return value.map((item) => eachText(item, change)) as Value
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [name, eachText(item, change)]),
    ) as Value
  return value
}

/** All that an exchange says: as it is written, and what its events say when each field's fragments are joined. */
function spoken(exchange: Exchange): string {
  const fields = new Map<string, string>()
  const gather = (value: unknown, name: string): void => {
    if (typeof value === 'string') fields.set(name, (fields.get(name) ?? '') + value)
    else if (typeof value === 'object' && value !== null)
      for (const [key, item] of Object.entries(value)) gather(item, Array.isArray(value) ? name : key)
  }
  for (const document of documentsOf(textOf(exchange))) gather(document, '')
  return [JSON.stringify(exchange), ...fields.values()].join('\n')
}
