const MiB = 1024 * 1024

/** What a command may use; an operator may set what `config.ts` of the worker names. */
export interface CommandLimits {
  timeoutMs: number
  /** Of all its processes together. */
  memoryBytes: number
  processes: number
  openFiles: number
  /** Of one file. */
  fileBytes: number
  /** Of the working directory, without git's own files. */
  workspaceBytes: number
  /** So much stays free on the disk, whoever fills it. */
  diskReserveBytes: number
  /** Of `/tmp`, which lies in memory and is empty for each command. */
  tmpBytes: number
  /** Kept of each stream, half from its beginning and half from its end. */
  keptOutputBytes: number
  /** Of both streams; a command that says more is ended. */
  outputBytes: number
}

export const DEFAULT_LIMITS: CommandLimits = {
  timeoutMs: 300_000,
  memoryBytes: 2048 * MiB,
  processes: 256,
  openFiles: 4096,
  fileBytes: 1024 * MiB,
  workspaceBytes: 8192 * MiB,
  diskReserveBytes: 256 * MiB,
  tmpBytes: 256 * MiB,
  keptOutputBytes: 32 * 1024,
  outputBytes: 64 * MiB,
}
