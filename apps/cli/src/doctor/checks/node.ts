import { type Check, failed, ok } from '../check.ts'

/** Sources run as they are from this version on. */
const NEEDED = 26

export const checkNode: Check = ({ words }) => {
  const version = process.versions.node
  return Number.parseInt(version, 10) >= NEEDED
    ? ok(version)
    : failed(words.node.old(version, NEEDED), words.node.fix)
}
