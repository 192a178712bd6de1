import type { Command } from 'commander'
import type { Words } from '../messages/words.ts'
import { addDiff } from './runs/diff.ts'
import { addEvents } from './runs/events.ts'
import { addFork } from './runs/fork.ts'
import { addList } from './runs/list.ts'
import { addReport } from './runs/report.ts'
import { addShow } from './runs/show.ts'
import { addSteering } from './runs/steer.ts'

export function addRuns(program: Command, words: Words): void {
  const runs = program.command('runs').description(words.help.runs.about).helpCommand(false)
  addList(runs, words)
  addShow(runs, words)
  addEvents(runs, words)
  addReport(runs, words)
  addSteering(runs, words)
  addFork(runs, words)
  addDiff(runs, words)
}
