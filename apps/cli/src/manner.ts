import { LANGUAGES, type Language } from './messages/languages.ts'

/**
 * What has to be known before the command line is read: the language of its help, and how failures are told. Wrong values
 * are no matter here; they are refused by `readConfig`.
 */
export function readManner(argv: readonly string[], env: NodeJS.ProcessEnv) {
  const at = argv.findIndex((word) => /^--lang(=|$)/.test(word))
  const told = at < 0 ? undefined : (argv[at]?.split('=')[1] ?? argv[at + 1])
  const wish = told ?? env.DEVFLOW_LANG
  const language: Language = LANGUAGES.find((each) => each === wish) ?? 'en'
  return {
    language,
    json: argv.includes('--json'),
    tellsOrigins: ['debug', 'trace'].includes(env.DEVFLOW_LOG_LEVEL ?? ''),
  }
}
