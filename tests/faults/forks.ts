import { Interpreter } from './interpreter.ts'
import { copied, exported, type Running } from './running.ts'

/** A run that takes over from another what is before one of its phases at the top. */
export function forkOf(source: Interpreter, before: number, input: Record<string, unknown>): Interpreter {
  const fork = new Interpreter(source.found, source.template, input)
  const { top, means, reused } = fork
  const copies = new Map<Running, Running>()
  for (const [at, running] of source.top.list.slice(0, before).entries()) {
    const copy = copied(running, copies)
    top.list[at] = copy
    for (const [name, named] of [[copy.step.name, copy] as const, ...exported(copy)])
      top.names.set(name, named)
  }
  for (const copy of copies.values()) {
    means.phases.set(copy.id, copy)
    reused.add(copy)
  }
  for (const { key, by } of source.means.turns) {
    const copy = copies.get(by)
    if (copy) means.turns.push({ key, by: copy, reused: true })
  }
  for (const { by, attempt, means: child } of source.means.children) {
    const copy = copies.get(by)
    if (copy) means.children.push({ by: copy, attempt, means: child })
  }
  fork.kept.takeOver(source.kept, copies)
  return fork
}
