/** Of keys of model providers that are kept for `devflow up`. */
export const keys = {
  help: {
    login: 'keep the key of a model provider for devflow up',
    logout: 'forget the key of a model provider',
    keys: 'list model providers and where their keys come from',
    provider: 'a model provider that wants a key',
  },
  which: 'The key of which provider?',
  whichNeeded: (providers: string) => `name a provider: ${providers}`,
  noArgument:
    'a key is never an argument: shells remember those, and others see them; type it when asked, or give it on standard input',
  ask: (provider: string, page: string) => `The key for ${provider} (${page}); it is not shown`,
  needsInput: (provider: string) =>
    `a key would be seen here: give it on standard input, as in pass show key | devflow login ${provider}`,
  empty: (provider: string) => `there is no key for ${provider} on standard input`,
  emptyTyped: 'type or paste it',
  noKey: 'that is no key: it has blanks or other characters in it that no key has',
  tooLong: (most: number) => `that is no key: it has more than ${most} characters`,
  left: 'Nothing was kept.',
  inKeyring: (provider: string) => `The key for ${provider} is kept in this system's keyring.`,
  inFile: (provider: string, file: string, why: string) =>
    `The key for ${provider} is kept in ${file}, which you alone may read: no keyring can be used (${why}).`,
  replaced: 'It takes the place of the one before.',
  environmentFirst: (variable: string) => `${variable} is set in the environment here, and comes first.`,
  restart: (program: string) => `${program} up uses it from its next start on: restart one that runs.`,
  forgotten: (provider: string) => `The key for ${provider} is forgotten.`,
  goesOn: 'A stack that runs has it until it is restarted.',
  nothingToForget: (provider: string) => `No key for ${provider} was kept.`,
  stillSet: (variable: string) => `${variable} is set in the environment: that one stays.`,
  notForgotten: (provider: string, why: string) =>
    `the key for ${provider} is in the keyring, which cannot be used: ${why}`,
  columns: { provider: 'PROVIDER', variable: 'VARIABLE', from: 'KEY FROM' },
  places: { environment: 'environment', keyring: 'keyring', file: 'file', none: 'none' },
  before: (first: string, second: string) => `${first}, before one in the ${second}`,
  keyringOff: 'DEVFLOW_KEYRING is off',
  keyringSlow: (seconds: number) => `no answer within ${seconds} s`,
  keyringEnded: (how: string) => `it ended with ${how}`,
  away: (why: string) => `the keyring cannot be used: ${why}`,
  gone: 'the keyring does not have it any more',
  notUsed: (provider: string, why: string) =>
    `The key that was kept for ${provider} is not used: ${why}. Mend that and restart devflow up, or run devflow login ${provider}.`,
  unreadable: (file: string, why: string) => `${file} cannot be read: ${why}`,
  notOurs: (file: string) => `${file} is not as devflow login writes it`,
  unwritable: (folder: string, why: string) => `nothing can be kept in ${folder}: ${why}`,
  noHome: 'there is no home folder to keep keys in: HOME is empty, and XDG_CONFIG_HOME names no folder',
}
