/** Of forks, and of what differs between two runs. */
export const forks = {
  help: {
    fork: 'make a new run that goes on from a phase of another; what was done before is taken over',
    from: 'the phase to begin with',
    input: 'a field of the input, over that of the run; may be repeated',
    inputFile: 'another input as JSON or YAML, `-` for stdin; fields of --input come over it',
    detach: 'fork, do not follow',
    diff: 'say what differs between two runs',
    other: 'the other run, in the same manner',
  },
  forked: (run: string, source: string, reused: readonly string[]) =>
    `Forked ${run} from ${source}; ${reused.length === 0 ? 'nothing' : reused.join(', ')} taken over`,
  takenOver: 'taken over',
  forkedFrom: 'forked from',
  same: 'Nothing differs but times and money.',
  sections: {
    input: 'input',
    output: 'output',
    definition: 'definition',
    artifacts: 'artifacts',
    error: 'error',
  },
  nothing: 'nothing',
  changes: { same: 'the same', added: 'only in b', removed: 'only in a', changed: 'differs' },
  more: (count: number) => `… and ${count} more`,
  omitted: { too_large: 'too large to compare', binary: 'no text' },
  notThere: 'not there',
}
