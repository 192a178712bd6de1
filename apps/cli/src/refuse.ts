import { DevflowError } from '@devflow/contracts/devflow-error'

export const BAD_USAGE = 'bad_usage'

/** What was asked for on the command line is wrong: exit code 2. */
export const badUsage = (message: string, code = BAD_USAGE): DevflowError =>
  new DevflowError('INVALID', code, message)
