import type { Config } from '../config.ts'
import type { KeySource } from '../keys/find-keys.ts'
import type { Words } from '../messages/words.ts'
import type { Endpoints } from '../up/endpoints.ts'
import type { ApiState } from './api-state.ts'

export type CheckId = keyof Words['doctor']['titles']

/**
 * What a check has found. `note`: it works, and a person should know something. `skipped`: it could not be looked at, for
 * a reason that another check names.
 */
export type Finding =
  | { status: 'ok'; detail: string }
  | { status: 'note' | 'failed'; detail: string; fix: string }
  | { status: 'skipped'; detail: string }

/** What checks look at. */
export interface Patient {
  words: Words['doctor']
  config: Config
  /** Where the keys of providers come from. */
  keys: readonly KeySource[]
  /** The data folder, absolute. */
  dataDir: string
  /** Of the `devflow up` that runs on the data folder. */
  running: Endpoints | undefined
  url: string
  /** It was told where the API is, and that is not what runs on the data folder. */
  isElsewhere: boolean
  api: ApiState
}

export type Check = (patient: Patient) => Promise<Finding> | Finding

export const ok = (detail: string): Finding => ({ status: 'ok', detail })
export const failed = (detail: string, fix: string): Finding => ({ status: 'failed', detail, fix })
export const skipped = (detail: string): Finding => ({ status: 'skipped', detail })
