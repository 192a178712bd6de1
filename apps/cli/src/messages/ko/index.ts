import type { Words } from '../words.ts'
import { budget } from './budget.ts'
import { doctor } from './doctor.ts'
import { failures } from './failures.ts'
import { forks } from './forks.ts'
import { help } from './help.ts'
import { init } from './init.ts'
import { keys } from './keys.ts'
import { pricing } from './pricing.ts'
import { registry } from './registry.ts'
import { repl } from './repl.ts'
import { events, gate, run, used } from './run.ts'
import { sources } from './sources.ts'
import { tokens } from './tokens.ts'
import { migrated, rebuilt, up } from './up.ts'
import { usage } from './usage.ts'

export const ko: Words = {
  help,
  run,
  gate,
  events,
  used,
  failures,
  forks,
  init,
  budget,
  doctor,
  pricing,
  registry,
  repl,
  up,
  migrated,
  rebuilt,
  usage,
  sources,
  tokens,
  keys,
}
