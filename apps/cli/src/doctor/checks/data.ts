import { constants } from 'node:fs'
import { access, statfs } from 'node:fs/promises'
import { nearest } from '../../up/nearest.ts'
import { type Check, failed, ok } from '../check.ts'

/** With less, Postgres is soon unable to write its log. */
const LEAST_BYTES = 1_000_000_000

export const checkData: Check = async ({ words, dataDir }) => {
  const folder = nearest(dataDir)
  const isWritable = await access(folder, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  )
  if (!isWritable) return failed(words.data.unwritable(folder), words.data.unwritableFix)
  const { bavail, bsize } = await statfs(folder)
  const left = bavail * bsize
  if (left < LEAST_BYTES) return failed(words.data.full(folder, Math.round(left / 1e6)), words.data.fullFix)
  const gigabytes = (left / 1e9).toFixed(1)
  return ok(folder === dataDir ? words.data.free(dataDir, gigabytes) : words.data.toCome(dataDir, gigabytes))
}
