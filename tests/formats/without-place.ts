import { hostname, tmpdir } from 'node:os'
import { bytesOf, isWhole, type KeptLog, sha256Of } from './kept-log.ts'

/** As long as what it stands for: sizes on record stay true. */
const SOMEWHERE = `/${'kept'.padEnd(tmpdir().length, '-').slice(0, tmpdir().length - 1)}`
const MACHINE = new RegExp(`\\b${hostname()}\\b|${process.cwd()}|${tmpdir()}/`)

/** A log that does not tell where it was made; undefined where that cannot be taken out. Hashes follow what they are of. */
export function withoutPlace(made: string): KeptLog | undefined {
  let text = made.replaceAll(`${tmpdir()}/`, `${SOMEWHERE}/`)
  // A blob may name another by its hash.
  for (let changed = true; changed; ) {
    changed = false
    for (const [old, blob] of Object.entries((JSON.parse(text) as KeptLog).blobs)) {
      const now = sha256Of(bytesOf(blob))
      if (now === old) continue
      text = text.replaceAll(old, now)
      changed = true
    }
  }
  const log = JSON.parse(text) as KeptLog
  // Bundles of repositories are no text.
  const told = MACHINE.test(text.replaceAll(/"base64":"[^"]*"/g, ''))
  return told || !isWhole(log) ? undefined : log
}
