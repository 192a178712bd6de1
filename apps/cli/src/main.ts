import { program } from 'commander'
import { addUp } from './commands/up.ts'
import { endWith } from './exit-codes.ts'
import { DEVFLOW_VERSION } from './version.ts'

program
  .name('devflow')
  .description('A durable orchestrator for agent work.')
  .version(DEVFLOW_VERSION)
  .exitOverride()
addUp(program)

await endWith(() => program.parseAsync())
