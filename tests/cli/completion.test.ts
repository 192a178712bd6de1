import { execFile, spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runCommand } from '../support/command-line.ts'
import { hasTmux, openTerminal } from '../support/terminal.ts'

const has = (shell: string): boolean => {
  const isThere = spawnSync(shell, ['-c', 'true']).status === 0
  if (!isThere) console.warn(`${shell} is not installed: its completion is not tried`)
  return isThere
}

let folder: string
const script = (shell: string) => join(folder, `devflow.${shell}`)
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'devflow-completion-'))
  await mkdir(join(folder, 'kept-here'))
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, stdout } = await runCommand(['completion', shell])
    expect(code).toBe(0)
    await writeFile(script(shell), stdout)
  }
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const CASES: [line: string, words: string[]][] = [
  ['devflow ru', ['run', 'runs']],
  ['devflow ini', ['init']],
  ['devflow runs re', ['report', 'resume', 'retry']],
  ['devflow --json runs sh', ['show']],
  ['devflow completion ', ['bash', 'fish', 'zsh']],
  ['devflow run x --bu', ['--budget']],
  ['devflow runs list --l', ['--label', '--lang', '--limit']],
  ['devflow gates --lang ', ['en', 'ko']],
  ['devflow tokens mint x --scope run', ['runs:read', 'runs:write']],
]

// As bash takes a line apart: a colon is a word of its own, and what is filled in comes behind it.
const COLONS: [line: string, words: string[]][] = [
  ['devflow tokens mint x --scope runs : w', ['write']],
  ['devflow tokens mint x --scope runs :', ['read', 'write']],
  ['devflow tokens mint x:y --scope gates : d', ['decide']],
  ['devflow --url http : //127.0.0.1 : 1 tokens re', ['revoke']],
]

test.each([...CASES, ...COLONS])('bash completes «%s»', async (line, words) => {
  const typed = line.split(' ')
  const ask = `. '${script('bash')}'; COMP_WORDS=(${typed.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${typed.length - 1}; _devflow; printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout } = await promisify(execFile)('bash', ['--norc', '-c', ask])
  expect(stdout.trim().split('\n').sort()).toEqual(words)
})

test.runIf(has('fish')).each(CASES)('fish completes «%s»', async (line, words) => {
  const ask = `source '${script('fish')}'; complete -C '${line}'`
  const env = { PATH: process.env.PATH, HOME: folder }
  const { stdout } = await promisify(execFile)('fish', ['--no-config', '-c', ask], { env })
  const found = stdout.trim().split('\n')
  expect(found.map((each) => each.split('\t')[0]).sort()).toEqual(words)
})

test.runIf(has('fish'))('fish completes the folder that a command is told', async () => {
  const ask = `source '${script('fish')}'; complete -C 'devflow init ${folder}/kep'`
  const env = { PATH: process.env.PATH, HOME: folder }
  const { stdout } = await promisify(execFile)('fish', ['--no-config', '-c', ask], { env })
  expect(stdout).toContain(`${folder}/kept-here/`)
})

test.runIf(has('zsh') && hasTmux)('zsh completes commands, their commands, and options', async () => {
  const terminal = await openTerminal('zsh -f -i', {
    env: { PATH: process.env.PATH, HOME: folder, PS1: '> ', TERM: 'xterm' },
    rows: 40,
  })
  await terminal.type(`source '${script('zsh')}'; clear`)
  await terminal.press('Enter')
  await terminal.until((screen) => screen === '>')
  for (const [typed, whole] of [
    ['devflow com', 'devflow completion '],
    ['devflow runs rep', 'devflow runs report '],
    ['devflow run x --bud', 'devflow run x --budget='],
    ['devflow completion f', 'devflow completion fish '],
    [`devflow init ${folder}/kep`, `devflow init ${folder}/kept-here/`],
    ['devflow gates --lang=k', 'devflow gates --lang=ko '],
    ['devflow tokens mint x --scope gat', 'devflow tokens mint x --scope gates:decide '],
  ] as const) {
    await terminal.type(`${typed}\t`)
    await terminal.until((screen) => screen.endsWith(`> ${whole}`.trimEnd()))
    await terminal.press('C-u')
    await terminal.until((screen) => screen.endsWith('>'))
  }
  await terminal.type('devflow runs \t')
  const menu = await terminal.until((screen) => screen.includes('retry'))
  expect(menu).toMatch(/pause +-- pause a run: the turn under way is finished/)
})
