import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { type Check, failed, ok } from '../check.ts'

/** The first that keeps a clone from running a repository's hooks as we ask it to. */
const NEEDED = '2.31'

export const checkGit: Check = async ({ words, config }) => {
  const env = { PATH: config.path }
  const answer = await promisify(execFile)('git', ['--version'], { env, timeout: 5_000 }).catch(
    () => undefined,
  )
  const version = /(\d+)\.(\d+)[.\w]*/.exec(answer?.stdout ?? '')
  if (!version) return failed(words.git.missing, words.git.fix)
  const [whole, major, minor] = version
  const [neededMajor = 0, neededMinor = 0] = NEEDED.split('.').map(Number)
  const isOld = Number(major) < neededMajor || (Number(major) === neededMajor && Number(minor) < neededMinor)
  return isOld ? failed(words.git.old(whole, NEEDED), words.git.fix) : ok(whole)
}
