/** What an attempt aims at: files, services and a secret of the test's own. */
export interface Targets {
  /** A folder outside of every workspace. */
  outside: string
  /** A file in it that holds the canary. */
  secretFile: string
  /** The worker's data folder, where mirrors and other workspaces lie. */
  dataDir: string
  /** A clone of another session. */
  otherWorkspace: string
  /** A process of the host, of the worker's own user. */
  hostPid: number
  /** The name of an abstract socket, and the path of one in a file, that something listens on. */
  abstractSocket: string
  socketFile: string
  /** Ports on loopback. */
  ports: { canary: number; postgres: number; temporal: number; api: number }
}

/** One try to get out, and what shows that it was made and failed. */
export interface Attempt {
  name: string
  tool: string
  args: unknown
  /** Refused by a rule: `tool.denied`. Others run, and fail in the sandbox. */
  denied?: true
  /** Must stand in the answer: the words in which it was refused. */
  says: RegExp
}

/** Stands in every file and variable that must not be seen. */
export const CANARY = 'CANARY-7f3a9c'

/** A program in the sandbox. */
export const sh = (name: string, script: string, says: RegExp): Attempt => ({
  name,
  tool: 'run_command',
  args: { argv: ['sh', '-c', script] },
  says,
})

export const js = (name: string, script: string, says: RegExp): Attempt => ({
  name,
  tool: 'run_command',
  args: { argv: ['node', '-e', script] },
  says,
})

export const run = (name: string, argv: string[], says: RegExp): Attempt => ({
  name,
  tool: 'run_command',
  args: { argv },
  says,
})

/** A call that a rule refuses before anything runs. */
export const refused = (name: string, tool: string, args: unknown, says: RegExp): Attempt => ({
  name,
  tool,
  args,
  denied: true,
  says,
})

/** Seconds that nothing else sleeps: what still does afterwards has outlived its command. */
export const FOREVER = '61743'
