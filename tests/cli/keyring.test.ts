import { execFile, spawnSync } from 'node:child_process'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { CLI_MAIN } from '../support/command-line.ts'
import { ownEnv } from '../support/own-env.ts'
import { keysHome } from './keys-home.ts'

const exists = (program: string) => spawnSync(program, ['--version']).status === 0
const hasKeyring = exists('dbus-run-session') && exists('gnome-keyring-daemon')
if (!hasKeyring) console.warn('gnome-keyring or dbus is not installed: tests of a keyring are skipped')

const KEY = 'sk-ant-0123456789abcdef'

test.runIf(hasKeyring)('a keyring keeps a key, gives it and forgets it; no file has it', async () => {
  const home = await keysHome()
  const runtime = join(home.folder, 'run')
  await mkdir(runtime, { mode: 0o700 })
  // A bus of the test's own, which ends with the script, and a keyring in its home.
  const script = `
    set -e
    devflow() { "$NODE" "$MAIN" "$@"; echo "exit=$?"; }
    printf pass | gnome-keyring-daemon --unlock --components=secrets > /dev/null
    printf %s "$KEY" | devflow login anthropic
    cp "$NOTE" "$HOME/note"
    devflow keys --json
    ANTHROPIC_API_KEY=set devflow keys --json
    devflow logout anthropic
    devflow keys --json
    printf '{"in":"keyring"}' > "$NOTE"
    devflow keys --json`
  const { stdout } = await promisify(execFile)('dbus-run-session', ['--', 'sh', '-c', script], {
    env: {
      ...{ ...ownEnv(), ...home.env, DEVFLOW_KEYRING: 'on', XDG_RUNTIME_DIR: runtime },
      ...{ NODE: process.execPath, MAIN: CLI_MAIN, KEY, NOTE: home.note('anthropic') },
    },
  })
  expect(await readFile(join(home.folder, 'note'), 'utf8')).toBe('{"in":"keyring"}\n')
  expect(stdout).toContain("The key for anthropic is kept in this system's keyring.")
  expect(stdout).toContain('The key for anthropic is forgotten.')
  expect(stdout).not.toContain('sk-ant')
  const sources = stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line).items[2])
  const anthropic = { provider: 'anthropic', variable: 'ANTHROPIC_API_KEY' }
  expect(sources).toEqual([
    { ...anthropic, from: 'keyring' },
    { ...anthropic, from: 'environment', kept: 'keyring' },
    { ...anthropic, from: 'none' },
    { ...anthropic, from: 'keyring', problem: 'the keyring does not have it any more' },
  ])
})
