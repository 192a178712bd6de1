import { expect, test } from 'vitest'
import { narrowedCommands } from './narrow.ts'

test.each<[theirs: string[], own: string[], both: string[]]>([
  [['git diff'], ['git diff'], ['git diff']],
  [['git'], ['git status', 'git diff'], ['git status', 'git diff']],
  [['git diff --stat'], ['git'], ['git diff --stat']],
  [['git diff'], ['git difftool', 'gi', 'node'], []],
  [['git'], ['', '  '], []],
  [[], ['node'], []],
])('of %j and %j both may run %j', (theirs, own, both) => {
  expect(narrowedCommands(theirs, own)).toEqual(both)
})
