import { program } from 'commander'
import { addRebuild } from './commands/rebuild.ts'
import { addUp } from './commands/up.ts'
import { endWith } from './exit-codes.ts'
import { DEVFLOW_VERSION } from './version.ts'

program
  .name('devflow')
  .description('A durable orchestrator for agent work.')
  .version(DEVFLOW_VERSION)
  .exitOverride()
addRebuild(program)
addUp(program)

await endWith(() => program.parseAsync())
