// A small command-line agent: a banner, a prompt, work that shows, an answer where it was asked for. What it is to do
// stands in the prompt: [answer=…], [works=ms], [forget] the answer at first, [die], [ask] a question, [hang], [lines=n],
// [write=file] the names of the files it sees into a file where it runs. With `--steps <folder>`, at the end, it begins and answers only
// once `begin` and `answer` are there.
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const PASTE = ['\u001b[200~', '\u001b[201~'] as const
const said = (text: string) => process.stdout.write(text)
const start = Number(process.argv[2] ?? 0)
const steps = process.argv.includes('--steps') ? process.argv.at(-1) : undefined
let forgetful = true
let deaf = process.argv.includes('--deaf')
let held = ''
let asking: (() => void) | undefined

process.stdin.setRawMode(true)
process.stdin.setEncoding('utf8')
// Pastes come marked, as real agents have them.
said('\u001b[?2004h')
said('A small agent\n')
await sleep(start)
await told('begin')
if (process.argv.includes('--trust')) {
  said('Do you trust this folder?\n')
  await new Promise<void>((resolve) => {
    asking = resolve
    listen()
  })
  said('\u001b[2J\u001b[H')
} else listen()
said('> ')

async function told(step: string): Promise<void> {
  while (steps !== undefined && !existsSync(join(steps, step))) await sleep(20)
}

function listen(): void {
  process.stdin.on('data', (text: string) => {
    for (const piece of text.split(/(\r)/)) {
      if (piece !== '\r') held += piece
      else if (asking) {
        asking()
        asking = undefined
        held = ''
      } else if (!held.includes(PASTE[0]) || held.includes(PASTE[1])) void take()
      else held += '\n'
    }
  })
}

async function take(): Promise<void> {
  // The first Enter after a paste is lost on some.
  if (deaf) {
    deaf = false
    return
  }
  const prompt = held.replace(PASTE[0], '').replace(PASTE[1], '')
  held = ''
  if (prompt.trim() === '') return
  const given = (name: string) => new RegExp(`\\[${name}=([^\\]]*)\\]`).exec(prompt)?.[1]
  said(`\n${prompt.split('\n').at(-1)}\nworking (esc to interrupt)\n`)
  if (prompt.includes('[child]')) spawn('sleep', ['600.25'], { stdio: 'ignore' })
  await sleep(prompt.includes('[hang]') ? 600_000 : Number(given('works') ?? 300))
  await told('answer')
  const written = given('write')
  if (written) writeFileSync(written, readdirSync('.').sort().join(' '))
  if (prompt.includes('[die]')) process.exit(3)
  if (prompt.includes('[ask]')) {
    said('Do you want to proceed?\n')
    await sleep(600_000)
  }
  said('\u001b[1A\u001b[2K')
  const forgot = forgetful && prompt.includes('[forget]')
  if (forgot) forgetful = false
  else answer(prompt, given('answer') ?? 'All is well.', Number(given('lines') ?? 0))
  said('> ')
}

function answer(prompt: string, text: string, lines: number): void {
  const whole = [text, ...Array.from({ length: lines }, (_, n) => `line ${n}`)].join('\n')
  const file = /into the file (\S+) and/.exec(prompt)?.[1]
  if (file) writeFileSync(file, whole)
  const mark = /«begin (\w+)»/.exec(prompt)?.[1]
  if (mark) said(`⏺ «begin ${mark}»\n${whole.replaceAll(/^/gm, '  ')}\n  «end ${mark}»\n`)
}
