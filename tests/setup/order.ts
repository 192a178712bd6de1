import { relative } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files of half a minute and more. They kill and freeze whole stacks, so most of the time they wait. */
const LONG =
  /^tests\/crash\/|^tests\/faults\/|^tests\/(cli|docs)\/commands\.|^tests\/e2e\/(schedules|tracing)\.|^apps\/cli\/src\/up\/up\./

/** Whole stacks, processes and databases: seconds each. */
const MIDDLING = /^tests\//

/** One long file at a time, on average: so many others run beside it before the next one comes. */
const APART = 8

/**
 * The order of the test files: the short ones come last, so that in the end no core is idle while another has a minute to go;
 * and the long ones stand apart from each other, so that what computes runs beside what waits.
 */
export class TestOrder extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const is = (pattern: RegExp) => (file: TestSpecification) =>
      pattern.test(relative(this.ctx.config.root, file.moduleId).replaceAll('\\', '/'))
    const [long, rest] = split(sorted, is(LONG))
    const ordered = split(rest, is(MIDDLING)).flat()
    for (const [index, file] of long.entries()) ordered.splice(index * (APART + 1), 0, file)
    return ordered
  }
}

function split<T>(all: readonly T[], isFirst: (one: T) => boolean): [T[], T[]] {
  return [all.filter(isFirst), all.filter((one) => !isFirst(one))]
}
