import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

const LOOK_MS = 500
const STDIN = '0'
const STDOUT = '1'
/** The mode a file is open in, in its flags, and that of a pipe's end that is written to. */
const MODE = 0o3
const WRITE_ONLY = 0o1

/**
 * Calls `leave` when stdout is a pipe and the last process that read it is gone. A pipe itself says so only to who writes to
 * it, and who follows a waiting run may have nothing to write for days. Linux alone says who reads a pipe: elsewhere, and where
 * the reader was not to be seen at first, the next line finds it out.
 */
export function whenUnread(leave: () => void): void {
  const pipe = linkOf('self', STDOUT)
  if (!pipe?.startsWith('pipe:')) return
  // Shells give a pipe to its reader as stdin. Where else it may be is looked at only when it is not there any more.
  let readers = processes().filter((pid) => linkOf(pid, STDIN) === pipe)
  if (readers.length === 0) return
  const timer = setInterval(() => {
    readers = readers.filter((pid) => reads(pid, pipe))
    if (readers.length === 0) readers = processes().filter((pid) => reads(pid, pipe))
    if (readers.length > 0) return
    clearInterval(timer)
    leave()
  }, LOOK_MS)
  timer.unref()
}

const processes = (): string[] => readdirSync('/proc').filter((name) => /^\d+$/.test(name))

function reads(pid: string, pipe: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => linkOf(pid, fd) === pipe && !isWriteOnly(pid, fd))
  } catch {
    // It has ended, or is somebody else's.
    return false
  }
}

function isWriteOnly(pid: string, fd: string): boolean {
  const [, flags = ''] = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8')) ?? []
  return (Number.parseInt(flags, 8) & MODE) === WRITE_ONLY
}

function linkOf(pid: string, fd: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`)
  } catch {
    // As above; or there is no /proc here.
    return undefined
  }
}
