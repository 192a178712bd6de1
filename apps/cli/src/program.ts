import { Command, Option } from 'commander'
import { beforeHelp } from './before-help.ts'
import { addApprove } from './commands/approve.ts'
import { addBudget } from './commands/budget.ts'
import { addCalls } from './commands/calls.ts'
import { addCompletion } from './commands/completion.ts'
import { addDelegate } from './commands/delegate.ts'
import { addDoctor } from './commands/doctor.ts'
import { addTopicEvents } from './commands/events.ts'
import { addGates } from './commands/gates.ts'
import { addInit } from './commands/init.ts'
import { addKeys } from './commands/keys.ts'
import { addLogin } from './commands/login.ts'
import { addLogout } from './commands/logout.ts'
import { addMigrate } from './commands/migrate.ts'
import { addPricing } from './commands/pricing.ts'
import { addRebuild } from './commands/rebuild.ts'
import { addRegistry } from './commands/registry.ts'
import { addReject } from './commands/reject.ts'
import { addRequestChanges } from './commands/request-changes.ts'
import { addRun } from './commands/run.ts'
import { addRuns } from './commands/runs.ts'
import { addSchedules } from './commands/schedules.ts'
import { addTokens } from './commands/tokens.ts'
import { addTriggers } from './commands/triggers.ts'
import { addUp } from './commands/up.ts'
import { addUsage } from './commands/usage.ts'
import { addWebhooks } from './commands/webhooks.ts'
import { LANGUAGES } from './messages/languages.ts'
import type { Words } from './messages/words.ts'
import type { StackDeps } from './up/stack.ts'
import { DEVFLOW_VERSION } from './version.ts'

/** The whole command line. `stack`: other parts than the real ones for `up`, for tests. */
export function createProgram(words: Words, stack?: StackDeps): Command {
  const { help } = words
  const program = new Command('devflow')
    .description(help.about)
    .version(DEVFLOW_VERSION, '-V, --version', help.version)
    .helpOption('-h, --help', help.help)
    .helpCommand(false)
    .exitOverride()
    // Failures are told in one place, at the end: see `tellFailure`.
    .configureOutput({ outputError: () => {} })
    .configureHelp({
      showGlobalOptions: true,
      styleTitle: (title) => help.titles[title] ?? title,
    })
    .addHelpText('beforeAll', beforeHelp(words))
  sharedOptionsOn(program, words)
  addUp(program, words, stack)
  addInit(program, words)
  addRun(program, words)
  addRuns(program, words)
  addGates(program, words)
  addApprove(program, words)
  addReject(program, words)
  addRequestChanges(program, words)
  addDelegate(program, words)
  addCalls(program, words)
  addUsage(program, words)
  addBudget(program, words)
  addPricing(program, words)
  addRegistry(program, words)
  addTopicEvents(program, words)
  addTriggers(program, words)
  addSchedules(program, words)
  addWebhooks(program, words)
  addTokens(program, words)
  addLogin(program, words)
  addLogout(program, words)
  addKeys(program, words)
  addDoctor(program, words)
  addMigrate(program, words)
  addRebuild(program, words)
  addCompletion(program, words)
  return program
}

/** The options of every command. Commander takes them before a command's name and after it. */
export const sharedOptionsOn = (program: Command, { help }: Words): Command =>
  program
    .option('--json', help.shared.json)
    .option('--url <url>', help.shared.url)
    .option('--token <token>', help.shared.token)
    .addOption(new Option('--lang <language>', help.shared.lang).choices(LANGUAGES))
