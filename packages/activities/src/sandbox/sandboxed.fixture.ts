import { Sandbox } from './index.ts'

/** Whether bubblewrap works here: tests of what it confines are skipped where it does not. */
export const isSandboxed =
  (await Sandbox.open({ path: process.env.PATH ?? '' })).confinement.kind === 'bubblewrap'
