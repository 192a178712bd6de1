import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Identity } from './identity.ts'

const run = promisify(execFile)

/** What `find` walks: all but git's own files, which commands only read. Links are not followed. */
const walk = (root: string): string[] => [root, '-path', join(root, '.git'), '-prune', '-o']

/**
 * Before a command: what the worker wrote as root becomes the command's, which is another user. Nothing runs in the
 * directory meanwhile, so nobody can put a link in the way.
 */
export async function handOver(root: string, { uid, drops }: Identity): Promise<void> {
  if (!drops) return
  const owner = `${uid}:${uid}`
  await run('find', [...walk(root), '!', '-user', String(uid), '-exec', 'chown', '-h', owner, '{}', '+'])
}

/** After a command: folders that it closed to its own user, who is the worker's, can be read and removed again. */
export async function takeBack(root: string, { drops }: Identity): Promise<void> {
  if (drops) return
  const closed = ['-type', 'd', '!', '-perm', '-0700']
  await run('find', [...walk(root), ...closed, '-exec', 'chmod', 'u+rwx', '{}', ';'])
}
