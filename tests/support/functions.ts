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

/** What a function that undoes appends a line to, and how often it fails before it does. */
export interface Step {
  id: string
  /** Whose doing cannot be undone: it fails so often. */
  failures?: number
  phase?: object
}

/** Phases one after the other, each of which writes a line to a file and says how to undo it. */
export function sagaTemplate(file: string, steps: readonly Step[], then: object[], output?: unknown): string {
  const note = `import { appendFileSync, readFileSync } from 'node:fs'
    export default async function (input: { file: string, line: string, failures?: number }, ctx) {
      appendFileSync(input.file, input.line + ' ' + ctx.idempotencyKey.split('/').slice(1).join('/') + '\\n')
      const times = readFileSync(input.file, 'utf8').split('\\n').filter((line) => line.startsWith(input.line + ' ')).length
      if (times <= (input.failures ?? 0)) throw new Error('not now: ' + input.line)
      return { line: input.line }
    }`
  const permissions = { read: [file], write: [file] }
  const phases = steps.map(({ id, failures = 0, phase }) => ({
    id,
    function: { name: 'fn@1', input: { file, line: `do ${id}` } },
    compensate: {
      function: 'fn@1',
      input: { file, line: `undo \${{ phases.${id}.output.line }}`, failures },
    },
    ...phase,
  }))
  const template = { kind: 'template', id: 'saga@1', title: 'Saga', phases: [...phases, ...then] }
  return asDocuments(
    { ...template, ...(output === undefined ? {} : { output }) },
    functionEntry(note, { permissions }),
  )
}

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
