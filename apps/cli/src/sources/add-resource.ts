import type { Command } from 'commander'
import { onDemand } from '../commands/on-demand.ts'
import type { Words } from '../messages/words.ts'
import type { Resource, ResourceIn } from './resource.ts'

/** `list`, `show`, `apply` and `delete` of a resource, under its command. */
export function addResource<Item extends { id: string }, Body>(
  commands: Command,
  words: Words,
  name: Resource<Item, Body>['name'],
  load: () => Promise<ResourceIn<Item, Body>>,
): void {
  const said = words.sources
  const help = said.help[name]
  commands.description(help.about).helpCommand(false)
  commands
    .command('list')
    .description(help.list)
    .action(onDemand(async () => (await import('../actions/sources/list.ts')).listing(await load())))
  commands
    .command('show')
    .description(help.show)
    .argument('<id>', said.help.id)
    .action(onDemand(async () => (await import('../actions/sources/show.ts')).showing(await load())))
  commands
    .command('apply')
    .description(help.apply)
    .argument('<files...>', said.help.files)
    .action(onDemand(async () => (await import('../actions/sources/apply.ts')).applying(await load())))
  commands
    .command('delete')
    .description(help.delete)
    .argument('<id>', said.help.id)
    .action(onDemand(async () => (await import('../actions/sources/delete.ts')).deleting(await load())))
}
