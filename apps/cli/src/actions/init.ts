import { resolve } from 'node:path'
import type { Command } from 'commander'
import { quote } from 'shlex'
import { nextLines } from '../following/end-lines.ts'
import { invocationOf } from '../invocation.ts'
import { STARTER_TEMPLATE, starterFiles } from '../starter/starter-files.ts'
import { writeNew } from '../starter/write-new.ts'
import { padEnd, widthOf } from '../terminal/fit.ts'

export async function writeStarter(
  folder: string,
  { namespace }: { namespace: string },
  command: Command,
): Promise<void> {
  const { json, language, screen, words, printJson } = invocationOf(command)
  const files = starterFiles({ folder, namespace, language, program: screen.program })
  writeNew(folder, files, words)
  const names = files.map(({ name }) => name)
  const template = `${namespace}:${STARTER_TEMPLATE}`
  if (json) return printJson({ folder: resolve(folder), namespace, template, files: names })
  const { written, about, next } = words.init
  const width = Math.max(...names.map((name) => widthOf(name)))
  screen.print(
    written(folder),
    ...names.map((name) => `  ${padEnd(name, width)}  ${screen.palette.faint(about[name] ?? '')}`.trimEnd()),
    '',
    ...nextLines(
      [
        [next.start, `up --entries ${quote(folder)}`],
        [next.run, `run ${template} --input version=v1.2`],
      ],
      screen,
    ),
  )
}
