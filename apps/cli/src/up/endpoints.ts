import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

/** Where the parts of a stack are, and which processes they are. */
export const Endpoints = z.object({
  api: z.string(),
  temporalAddress: z.string(),
  /** Absent when a Temporal that is not ours is used. */
  temporalUi: z.string().optional(),
  /** With its password. */
  databaseUrl: z.string(),
  /** Its commands run without a sandbox where there is none. */
  unsandboxedCommands: z.boolean().optional(),
  /** The model providers that it was given a key for, or an address. Never the keys. */
  providers: z.array(z.string()).optional(),
  pids: z.object({
    api: z.int().optional(),
    workers: z.array(z.int()),
    temporal: z.int().optional(),
    postgres: z.int().optional(),
  }),
})
export type Endpoints = z.infer<typeof Endpoints>

const file = (dataDir: string) => join(dataDir, 'up.json')

/** Notes in the data folder where a running stack is, for its owner's eyes alone. */
export function writeEndpoints(dataDir: string, endpoints: Endpoints): void {
  const fresh = `${file(dataDir)}.new`
  writeFileSync(fresh, `${JSON.stringify(endpoints, null, 2)}\n`, { mode: 0o600 })
  renameSync(fresh, file(dataDir))
}

/** Where the last stack on this data was. It says nothing about whether it runs: the lock does. */
export function readEndpoints(dataDir: string): Endpoints | undefined {
  if (!existsSync(file(dataDir))) return undefined
  return Endpoints.parse(JSON.parse(readFileSync(file(dataDir), 'utf8')))
}

/** What an earlier stack noted is not true any more. */
export const clearEndpoints = (dataDir: string): void => rmSync(file(dataDir), { force: true })
