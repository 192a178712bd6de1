import {
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { DevflowError } from '@devflow/contracts'
import type { Words } from '../messages/words.ts'
import { badUsage } from '../refuse.ts'
import { nearest } from '../up/nearest.ts'
import type { StarterFile } from './starter-files.ts'

/**
 * Writes files into a folder, which is made where it is missing: all of them or none, and none over another. Throws INVALID
 * `bad_usage` where there can be no folder, ALREADY_EXISTS `files_exist`, UNAVAILABLE `files_not_written`.
 */
export function writeNew(folder: string, files: readonly StarterFile[], { failures, init }: Words): void {
  const path = resolve(folder)
  const ground = nearest(path)
  if (!statSync(ground).isDirectory()) throw badUsage(failures.notFolder('folder', ground))
  const undo: (() => void)[] = []
  try {
    // A link that leads nowhere is there as well.
    const there = files.filter(({ name }) => lstatSync(join(path, name), { throwIfNoEntry: false }))
    if (there.length > 0) {
      const names = there.map(({ name }) => name).join(', ')
      throw new DevflowError('ALREADY_EXISTS', 'files_exist', init.inTheWay(folder, names))
    }
    for (const made of between(ground, path)) {
      mkdirSync(made)
      undo.push(() => rmdirSync(made))
    }
    for (const { name, text } of files) writeOne(join(path, name), text, undo)
  } catch (error) {
    for (const step of undo.reverse()) attempt(step)
    if (error instanceof DevflowError) throw error
    const why = error instanceof Error ? error.message : String(error)
    throw new DevflowError('UNAVAILABLE', 'files_not_written', init.notWritten(folder, why), { cause: error })
  }
}

/** Folders that are still to be made, the outermost first. */
const between = (ground: string, path: string): string[] =>
  path === ground ? [] : [...between(ground, dirname(path)), path]

/** A file that somebody else has made meanwhile is theirs: then it fails. */
function writeOne(path: string, text: string, undo: (() => void)[]): void {
  const file = openSync(path, 'wx')
  undo.push(() => rmSync(path))
  try {
    writeFileSync(file, text)
  } finally {
    closeSync(file)
  }
}

function attempt(step: () => void): void {
  try {
    step()
  } catch {
    // Somebody else uses the folder by now. Why nothing was written says more.
  }
}
