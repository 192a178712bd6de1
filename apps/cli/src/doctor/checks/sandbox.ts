import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { type Check, type Finding, ok } from '../check.ts'

/** What a worker tries at its start is more; where this fails, that does. */
const TRIAL = ['--unshare-all', '--die-with-parent', '--ro-bind', '/', '/', '--', 'true']

/** Without it much works: it is no failure. What counts is how the `devflow up` of this folder was started. */
export const checkSandbox: Check = async ({ words: { sandbox: words }, config, running }) => {
  const note = (detail: string, fix: string): Finding => ({ status: 'note', detail, fix })
  const unsandboxed = running ? running.unsandboxedCommands === true : config.unsandboxedCommands
  const bwrap = (...args: string[]) =>
    promisify(execFile)('bwrap', args, { env: { PATH: config.path }, timeout: 5_000 })
  const version = await bwrap('--version').then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  )
  const works =
    version !== undefined &&
    (await bwrap(...TRIAL).then(
      () => true,
      () => false,
    ))
  if (version !== undefined && works)
    return unsandboxed ? note(words.spare(version), words.spareFix) : ok(version)
  const fault = version === undefined ? words.missing : words.broken(version)
  return unsandboxed ? note(words.open(fault), words.openFix) : note(words.denied(fault), words.fix)
}
