import { DevflowError } from '@devflow/contracts'

/** What was asked for on the command line is wrong: exit code 2. */
export const badUsage = (message: string, code = 'bad_usage'): DevflowError =>
  new DevflowError('INVALID', code, message)
