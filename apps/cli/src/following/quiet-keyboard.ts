const CTRL_C = '\u0003'
const CTRL_Z = '\u001a'

/** Keys that are pressed while something is drawn. */
export interface QuietKeyboard {
  /** Gives the keyboard to a question, and takes it back. */
  release(): void
  hold(): void
}

/**
 * Keeps keys that are pressed from being shown: a line feed among them would move what is drawn over. Ctrl-C and Ctrl-Z,
 * which then come as keys, do what they always do.
 */
export function quietKeyboard(stdin: NodeJS.ReadStream): QuietKeyboard {
  if (stdin.isTTY !== true) return { release: () => {}, hold: () => {} }
  let isHeld = false
  const hear = (keys: Buffer) => {
    if (keys.includes(CTRL_C)) process.kill(process.pid, 'SIGINT')
    if (!keys.includes(CTRL_Z)) return
    release()
    process.once('SIGCONT', hold)
    // All that run in the terminal, as the key does: who has started this one would wait for it else.
    process.kill(0, 'SIGTSTP')
  }
  const hold = () => {
    if (isHeld) return
    isHeld = true
    stdin.setRawMode(true)
    stdin.on('data', hear)
    stdin.resume()
  }
  const release = () => {
    if (!isHeld) return
    isHeld = false
    stdin.off('data', hear)
    stdin.pause()
    stdin.setRawMode(false)
  }
  return { release, hold }
}
