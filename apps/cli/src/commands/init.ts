import { type Command, InvalidArgumentError } from 'commander'
import type { Words } from '../messages/words.ts'
import { USUAL_FOLDER, USUAL_NAMESPACE } from '../starter/usual-names.ts'
import { onDemand } from './on-demand.ts'

export function addInit(program: Command, words: Words): void {
  const { help } = words.init
  program
    .command('init')
    .description(help.about)
    .argument('[folder]', help.folder, USUAL_FOLDER)
    .option('--namespace <name>', help.namespace, namespaceIn(words), USUAL_NAMESPACE)
    .action(onDemand(async () => (await import('../actions/init.ts')).writeStarter))
}

/** As ids have it; the one that is left out in them is the catalog's. */
const namespaceIn =
  ({ init }: Words) =>
  (text: string): string => {
    if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(text)) throw new InvalidArgumentError(init.notNamespace)
    if (text === 'devflow') throw new InvalidArgumentError(init.takenNamespace)
    return text
  }
