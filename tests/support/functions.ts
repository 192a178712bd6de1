/** A function `fn@1` and a template whose phases call it. */
export interface Called {
  /** Further fields of the entry. */
  entry?: object
  /** What the phase `call` gives it. */
  input?: unknown
  /** Further fields of the phase. */
  phase?: object
  /** Phases after it. */
  then?: object[]
}

const asDocuments = (...entries: object[]): string =>
  entries.map((entry) => JSON.stringify(entry)).join('\n---\n')

export const functionEntry = (source: string, entry: object = {}): object => ({
  kind: 'function',
  id: 'fn@1',
  source,
  ...entry,
})

/** One phase `call`, whose output is the run's. */
export function callTemplate(source: string, { entry, input, phase, then = [] }: Called = {}): string {
  const call = { id: 'call', function: { name: 'fn@1', ...(input === undefined ? {} : { input }) }, ...phase }
  const template = {
    ...{ kind: 'template', id: 'calls@1', title: 'Calls', phases: [call, ...then] },
    // biome-ignore lint/suspicious/noTemplateCurlyInString: that is what expressions look like
    output: '${{ phases.call.output }}',
  }
  return asDocuments(template, functionEntry(source, entry))
}
