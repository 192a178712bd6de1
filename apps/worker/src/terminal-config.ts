import { readFileSync } from 'node:fs'
import type { TerminalCommand } from '@devflow/activities'
import { DevflowError } from '@devflow/contracts'
import { z } from 'zod'

type Environment = Readonly<Record<string, string | undefined>>

/** What a command-line agent always sees of the worker's environment, where it is set. */
const ALWAYS = ['PATH', 'HOME', 'USER', 'LANG', 'LC_ALL', 'TMPDIR']

/** Values of such variables are kept out of all that is stored (I8). */
const SECRET = /KEY|TOKEN|SECRET|PASSWORD/

const pattern = z
  .string()
  .min(1)
  .transform((source, context) => {
    try {
      return new RegExp(source, 'm')
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) })
      return z.NEVER
    }
  })
const ms = (fallback: number) => z.int().positive().default(fallback)

const Command = z.strictObject({
  command: z.tuple([z.string().min(1)], z.string()),
  ready: pattern,
  busy: pattern,
  waiting: pattern.optional(),
  answers: z.array(z.strictObject({ when: pattern, keys: z.array(z.string().min(1)).min(1) })).default([]),
  answer: z.enum(['file', 'screen']).default('file'),
  folder: z.string().startsWith('/', { error: 'expected an absolute path' }).optional(),
  workspace: z.boolean().default(false),
  env: z.array(z.string().regex(/^[A-Za-z_]\w*$/)).default([]),
  settleMs: ms(500),
  startMs: ms(60_000),
  submitMs: ms(5_000),
  stallMs: ms(600_000),
  limitMs: ms(3_600_000),
})
const Commands = z.record(z.string().min(1).max(200), Command)

export const TERMINAL_VARIABLES = {
  DEVFLOW_TERMINALS: z
    .string()
    .optional()
    .describe('command-line agents that personas may name: JSON, or the path of a file that holds it'),
}

/** Command-line agents by the name personas give as their model. Throws INVALID `bad_config` that says what is wrong where. */
export function terminalsOf(given: string | undefined, env: Environment): Record<string, TerminalCommand> {
  const commands = read(given)
  return Object.fromEntries(
    Object.entries(commands).map(
      ([name, { env: names, settleMs, startMs, submitMs, stallMs, limitMs, ...command }]) => [
        name,
        {
          ...command,
          env: valuesOf([...ALWAYS, ...names], env),
          limits: { settleMs, startMs, submitMs, stallMs, limitMs },
        },
      ],
    ),
  )
}

/** Secrets that agents are handed. */
export const terminalSecrets = (given: string | undefined, env: Environment): string[] =>
  Object.values(read(given)).flatMap(({ env: names }) =>
    Object.values(
      valuesOf(
        names.filter((name) => SECRET.test(name)),
        env,
      ),
    ),
  )

function valuesOf(names: readonly string[], env: Environment): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = env[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

function read(given: string | undefined): z.infer<typeof Commands> {
  if (!given) return {}
  const parsed = Commands.safeParse(jsonOf(given))
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map(
    ({ path, message }) => `${path.join(' → ') || 'the whole'}: ${message}`,
  )
  throw badConfig(`DEVFLOW_TERMINALS is wrong. ${faults.slice(0, 5).join('. ')}`)
}

function jsonOf(given: string): unknown {
  const isText = given.trimStart().startsWith('{')
  try {
    return JSON.parse(isText ? given : readFileSync(given, 'utf8'))
  } catch (error) {
    const what = isText ? 'no JSON' : `of no use: ${given}`
    throw badConfig(`DEVFLOW_TERMINALS is ${what} (${error instanceof Error ? error.message : error})`)
  }
}

const badConfig = (message: string) => new DevflowError('INVALID', 'bad_config', message)
