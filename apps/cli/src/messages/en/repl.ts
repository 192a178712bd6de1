/** Of the prompt that `devflow` alone opens. */
export const repl = {
  greeting: (version: string) => `Devflow ${version}. Type a command; help shows them all, exit leaves.`,
  unclosed: 'a quote is not closed',
  ownTerminal: '`up` goes on until it is ended: it wants a terminal of its own',
}
