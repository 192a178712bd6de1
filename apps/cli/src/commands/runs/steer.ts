import type { Command } from 'commander'
import type { Words } from '../../messages/words.ts'
import { onDemand } from '../on-demand.ts'

/** The commands that move a run. Repeating one is harmless. */
export function addSteering(runs: Command, words: Words): void {
  const { runs: help } = words.help
  steer(runs.command('cancel').description(help.cancel), 'cancel', words)
  steer(runs.command('pause').description(help.pause), 'pause', words)
  steer(runs.command('resume').description(help.resume), 'resume', words)
  steer(runs.command('retry').description(help.retry), 'retry', words)
}

function steer(command: Command, verb: 'cancel' | 'pause' | 'resume' | 'retry', words: Words): void {
  const { runs: help, arguments: named } = words.help
  command
    .argument('<run>', named.run)
    .option('--reason <text>', help.reason)
    .action(onDemand(async () => (await import('../../actions/runs/steer.ts')).steering(verb)))
}
