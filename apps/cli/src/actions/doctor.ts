import { resolve } from 'node:path'
import type { Command } from 'commander'
import { stateOfApi } from '../doctor/api-state.ts'
import { type Diagnosis, examine } from '../doctor/examine.ts'
import { EXIT } from '../exit-codes.ts'
import { type Invocation, invocationOf } from '../invocation.ts'
import { findKeys } from '../keys/find-keys.ts'
import type { Words } from '../messages/words.ts'
import { padEnd, widthOf, wrap } from '../terminal/fit.ts'
import type { Paint } from '../terminal/palette.ts'
import type { Screen } from '../terminal/screen.ts'
import { runningOn } from '../up/running.ts'

export async function diagnose({ data }: { data: string }, command: Command): Promise<void> {
  process.exitCode = await examineAll(resolve(data), invocationOf(command))
}

async function examineAll(dataDir: string, invocation: Invocation): Promise<number> {
  const { config, json, screen, words, printJson } = invocation
  const running = runningOn(dataDir)
  const url = invocation.isToldUrl ? invocation.url : (running?.api ?? invocation.url)
  const checks = await examine({
    words: words.doctor,
    config,
    keys: (await findKeys(config, words)).sources,
    dataDir,
    running,
    url,
    isElsewhere: running !== undefined && url !== running.api,
    api: await stateOfApi(invocation.client({ baseUrl: url })),
  })
  const failures = checks.filter(({ status }) => status === 'failed').length
  if (json) printJson({ ok: failures === 0, checks })
  else screen.print(...checkLines(checks, screen, words.doctor), '', verdict(failures, screen, words.doctor))
  return failures > 0 ? EXIT.failed : EXIT.completed
}

const LOOKS: Record<Diagnosis['status'], { sign: string; paint: Paint }> = {
  ok: { sign: '✓', paint: 'good' },
  note: { sign: '!', paint: 'notice' },
  failed: { sign: '✗', paint: 'bad' },
  skipped: { sign: '–', paint: 'faint' },
}

function checkLines(
  checks: readonly Diagnosis[],
  { palette, width }: Screen,
  words: Words['doctor'],
): string[] {
  const column = Math.max(...checks.map(({ id }) => widthOf(words.titles[id]))) + 2
  const indent = ' '.repeat(column + 2)
  return checks.flatMap((check) => {
    const { sign, paint } = LOOKS[check.status]
    const detail = wrap(check.detail, width - indent.length)
    const fix = 'fix' in check ? wrap(check.fix, width - indent.length - 2) : []
    return [
      ...detail.map((line, index) =>
        index === 0
          ? `${palette[paint](sign)} ${padEnd(words.titles[check.id], column)}${check.status === 'skipped' ? palette.faint(line) : line}`
          : indent + line,
      ),
      ...fix.map((line, index) => `${indent}${palette.accent(index === 0 ? '→' : ' ')} ${line}`),
    ]
  })
}

function verdict(failures: number, { palette }: Screen, words: Words['doctor']): string {
  return failures === 0 ? palette.good(words.allWell) : palette.bad(words.failed(failures))
}
