import type { Command } from 'commander'
import { stringify } from 'yaml'
import { invocationOf } from '../../invocation.ts'
import type { ResourceIn } from '../../sources/resource.ts'
import { harmless } from '../../terminal/fit.ts'

export const showing =
  <Item extends { id: string }, Body>(resourceIn: ResourceIn<Item, Body>) =>
  async (id: string, _: object, command: Command): Promise<void> => {
    const { json, screen, words, printJson, client } = invocationOf(command)
    const resource = resourceIn(words)
    const item = await resource.calls(client()).get(id)
    if (json) return printJson(item)
    // Comments, so that all of it is YAML that `apply` takes.
    const standing = resource.standing(item).map((line) => screen.palette.faint(`# ${line}`))
    const yaml = stringify({ id: item.id, ...resource.body(item) }, { lineWidth: 0 })
    screen.print(...standing, harmless(yaml).trimEnd())
  }
