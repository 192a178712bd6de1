import type { Config } from '../config.ts'
import type { Words } from '../messages/words.ts'

/** What `devflow up` was asked for. Paths are absolute. */
export interface UpOptions {
  host: string
  port: number
  /** Whether `--port` was given: then only that one will do. */
  portTold: boolean
  dataDir: string
  entries: readonly string[]
  workers: number
  workspaceRoots: readonly string[]
  unsandboxedCommands: boolean
  sample: boolean
  once: boolean
  approve: boolean
  json: boolean
  words: Words
  /** The folder `up` was started in. */
  cwd: string
  config: Config
  /** What the API asks for, from `--token` or DEVFLOW_TOKEN. */
  token: string | undefined
}
