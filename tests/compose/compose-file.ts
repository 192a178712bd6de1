import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
export const textOf = (file: string): string => readFileSync(join(ROOT, file), 'utf8')

export interface Service {
  image: string
  build?: string
  command?: string[]
  entrypoint?: string[]
  environment?: Record<string, string>
  ports?: string[]
  depends_on?: Record<string, { condition: string }>
  healthcheck?: { test: string[] }
  restart: string
  read_only?: boolean
  cap_drop?: string[]
  security_opt?: string[]
}

const REFERENCE = /\$\{([A-Z_]+)(?::([-?])([^}]*))?\}/g

/** What the compose file takes from outside: a default, or undefined where it must be told. */
export function references(text: string): Map<string, string | undefined> {
  return new Map(
    [...text.matchAll(REFERENCE)].map(([, name = '', how, value = '']) => [
      name,
      how === '-' ? value : undefined,
    ]),
  )
}

/** The compose file as text, with what it takes from outside put in. */
export function interpolated(text: string, outside: Readonly<Record<string, string>>): string {
  return text.replaceAll(REFERENCE, (_, name: string, how: string, value: string) => {
    const told = outside[name] || (how === '-' ? value : undefined)
    if (told === undefined) throw new Error(`${name} is not told`)
    return told
  })
}

/** Its services, as they are with what they are told from outside: put in after the YAML is read, as Compose does. */
export function servicesOf(outside: Readonly<Record<string, string>>): Record<string, Service> {
  const told = (_: unknown, value: unknown) =>
    typeof value === 'string' ? interpolated(value, outside).replaceAll('$$', '$') : value
  const { services } = parse(textOf('docker-compose.yml'), { merge: true })
  return JSON.parse(JSON.stringify(services), told)
}

/** A `.env` file's variables. */
export function variablesOf(text: string): Map<string, string> {
  return new Map(
    [...text.matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value] as const),
  )
}
