import { DevflowError } from '@devflow/contracts'
import { z } from 'zod'

/** Environment as Node has it: a variable that is not set is undefined. */
export type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads a configuration out of an environment. The schema's keys are the variables' names; a field's `.describe()`,
 * said last, is the fix that is shown when it is missing or wrong. A variable set to the empty string counts as not set.
 * Throws `INVALID bad_config`, one line for each variable. Values are never quoted: they may be secrets (I8).
 */
export function parseConfig<Schema extends z.ZodObject>(schema: Schema, env: Environment): z.output<Schema> {
  const names = Object.keys(schema.shape)
  const given = Object.fromEntries(names.filter((name) => env[name]).map((name) => [name, env[name]]))
  const parsed = schema.safeParse(given)
  if (parsed.success) return parsed.data
  const errors = parsed.error.issues.map((issue) => {
    const name = String(issue.path[0] ?? 'environment')
    const field = schema.shape[name]
    const fix = field && z.globalRegistry.get(field)?.description
    const what = given[name] === undefined ? 'is not set' : `is wrong (${issue.message})`
    return { path: name, message: `${name} ${what}${fix ? `: ${fix}` : ''}` }
  })
  throw new DevflowError('INVALID', 'bad_config', errors.map((error) => error.message).join('\n'), { errors })
}
