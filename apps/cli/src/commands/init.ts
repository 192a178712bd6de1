import { resolve } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { quote } from 'shlex'
import { nextLines } from '../following/end-lines.ts'
import { invocationOf } from '../invocation.ts'
import type { Words } from '../messages/words.ts'
import { STARTER_TEMPLATE, starterFiles, USUAL_FOLDER, USUAL_NAMESPACE } from '../starter/starter-files.ts'
import { writeNew } from '../starter/write-new.ts'
import { padEnd, widthOf } from '../terminal/fit.ts'

export function addInit(program: Command, words: Words): void {
  const { help } = words.init
  program
    .command('init')
    .description(help.about)
    .argument('[folder]', help.folder, USUAL_FOLDER)
    .option('--namespace <name>', help.namespace, namespaceIn(words), USUAL_NAMESPACE)
    .action((folder: string, { namespace }: { namespace: string }, command: Command) => {
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
        ...names.map((name) =>
          `  ${padEnd(name, width)}  ${screen.palette.faint(about[name] ?? '')}`.trimEnd(),
        ),
        '',
        ...nextLines(
          [
            [next.start, `up --entries ${quote(folder)}`],
            [next.run, `run ${template} --input version=v1.2`],
          ],
          screen,
        ),
      )
    })
}

/** As ids have it; the one that is left out in them is the catalog's. */
const namespaceIn =
  ({ init }: Words) =>
  (text: string): string => {
    if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(text)) throw new InvalidArgumentError(init.notNamespace)
    if (text === 'devflow') throw new InvalidArgumentError(init.takenNamespace)
    return text
  }
