import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { ownEnv } from '../support/own-env.ts'
import { type Fence, fencesOf, root } from './documents.ts'

/** What is only looked at: it would start a stack of its own, install, or needs what is not everywhere. */
const ELSEWHERE = /^([A-Z_]+=\S+ )*(npm|npx node packages|docker|python3|export)\b/

/** Commands of a block, those over several lines in one; without comments. */
export function commandsIn(text: string): string[] {
  return text
    .replace(/^\s*#.*\n/gm, '')
    .replace(/'[^']*'/g, (quote) => quote.replaceAll('\n', '\u2028'))
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .map((line) => line.replace(/\s# .*$/, '').trim())
    .filter((line) => line !== '')
    .map((line) => line.replaceAll('\u2028', '\n'))
}

/** The commands of a document that are not run here. */
export const commandsElsewhere = (file: string): string[] =>
  shellBlocks(file).flatMap(({ text }) => commandsIn(text).filter((command) => ELSEWHERE.test(command)))

const shellBlocks = (file: string): Fence[] => fencesOf(file).filter(({ language }) => language === 'sh')

/** Commands with what they print, as documents show them: `$ command`, and under it its output. */
interface Shown {
  at: string
  command: string
  output: string
}

export function shownIn(file: string): Shown[] {
  return fencesOf(file)
    .filter(({ language, text }) => language === 'text' && text.startsWith('$ '))
    .flatMap(({ at, text }) =>
      text
        .split(/^(?=\$ )/m)
        .map((part) => /^\$ ((?:.*\\\n)*.*)\n([\s\S]*)$/.exec(part))
        .map((match) => ({ at, command: match?.[1] ?? '', output: match?.[2] ?? '' })),
    )
}

/** A step of a document that is played: files to be written, commands to be run. */
export interface Step {
  at: string
  command: string
  /** What the document shows of what it prints. */
  shown?: string
}

/** All that a document has its reader do, in order: files that are named in their first line, blocks and shown commands. */
export function stepsOf(file: string): Step[] {
  const shown = shownIn(file)
  return fencesOf(file).flatMap(({ at, language, text }): Step[] => {
    const name = /^(?:#|\/\/) ([\w./-]+\.(?:yaml|ts))$/m.exec(text.split('\n')[0] ?? '')?.[1]
    if (name !== undefined)
      return [
        {
          at,
          command: `mkdir -p "$(dirname ${name})" && cat > ${name} <<'DOCUMENT_END'\n${text}DOCUMENT_END`,
        },
      ]
    if (language === 'sh') {
      const commands = commandsIn(text).filter((command) => !ELSEWHERE.test(command))
      return commands.length === 0 ? [] : [{ at, command: commands.join('\n') }]
    }
    return shown.filter((one) => one.at === at).map(({ command, output }) => ({ at, command, shown: output }))
  })
}

/** Ends of a followed run that are no failures: it waits for a decision. */
const WAITS = 3

/** Every failure ends it, an answer of 400 and above too. */
const STRICT = `
set -Euo pipefail
trap 'code=$?; [ $code = ${WAITS} ] || exit $code' ERR
curl() { command curl --fail-with-body "$@"; }
`

/** What npx does in a checkout, without the second that it takes. */
const QUICK_NPX = `
npx() { local name=$1; shift; npm_command=exec "${join(root, 'node_modules', '.bin')}/$name" "$@"; }
`

interface Played {
  step: Step
  printed: string
}

/** A store of passwords, as somebody may have one. */
const A_STORE = `
pass() { echo "sk-of-nobody-at-all"; }
`

const MARK = '-- end of a step --'

/** Plays the steps in one shell, as somebody does who follows the document. Rejects with what was printed when one fails. */
export async function play(
  steps: readonly Step[],
  { cwd, env, realNpx = false }: { cwd: string; env: NodeJS.ProcessEnv; realNpx?: boolean },
): Promise<Played[]> {
  const script = steps.map(({ command }) => `${command}\necho '${MARK}'`).join('\n')
  const shell = spawn('bash', ['-c', `${STRICT}${A_STORE}${realNpx ? '' : QUICK_NPX}${script}`], {
    cwd,
    env: {
      ...ownEnv(),
      HOME: cwd,
      XDG_CONFIG_HOME: join(cwd, '.config'),
      LANG: 'C.UTF-8',
      NO_COLOR: '1',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  shell.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text
  })
  shell.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text
  })
  const [code] = await once(shell, 'close')
  const printed = stdout.split(`${MARK}\n`)
  if (code !== 0)
    throw new Error(
      `${steps[printed.length - 1]?.at} ended with ${code}:\n${steps[printed.length - 1]?.command}\n${printed.at(-1)}\n${stderr}`,
    )
  return steps.map((step, index) => ({ step, printed: printed[index] ?? '' }))
}

/** Without what differs from run to run: ids, times, numbers, the columns' widths, paths. */
export const masked = (text: string): string[] =>
  text
    .split('\n')
    .map((line) =>
      line
        .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '<id>')
        .replace(/[0-9a-f]{40,64}/g, '<hash>')
        .replace(/(?<=^|[ `"'])\/[^\s`"']+/g, '<path>')
        .replace(/\bused (\w+( ×\d+)?(, )?)+/, 'used <tools>')
        .replace(/\b(\d+d )?\d+h left|\d+[dhms] (ago|left)/g, '<age>')
        .replace(/\d[\d,.:T-]*(Z\b| ?(ms|s|kB|GB|UTC)\b)?/g, '<n>')
        .replace(/\s+/g, ' ')
        .trim(),
    )
    .filter((line) => line !== '')

/** What the document shows and the command did not print, `…` standing for any lines. */
export function missingIn(printed: string, shown: string): string[] {
  const there = masked(printed)
  let from = 0
  return masked(shown).filter((line) => {
    if (line === '…') return false
    const wanted = line.replace(/ ?…$/, '')
    const at = there.findIndex(
      (other, index) => index >= from && (wanted === line ? other === line : other.startsWith(wanted)),
    )
    if (at < 0) return true
    from = at + 1
    return false
  })
}
