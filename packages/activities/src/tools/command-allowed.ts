/**
 * Whether a command begins with one of the prefixes, argument by argument: `git diff` allows `git diff --stat`, not
 * `git difftool` or `/tmp/git diff`. What further arguments could do is for the sandbox to hold.
 */
export function commandAllowed(argv: readonly string[], prefixes: readonly string[]): boolean {
  return prefixes.some((prefix) => {
    const words = prefix.split(/\s+/).filter(Boolean)
    return words.length > 0 && words.every((word, index) => argv[index] === word)
  })
}
