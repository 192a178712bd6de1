/** Of the entries of one's own to begin with. */
export const init = {
  help: {
    about: 'write a template of your own to begin with, which runs without a key',
    folder: 'where to; it is made where it is missing',
    namespace: 'what the ids begin with',
  },
  written: (folder: string) => `Written to ${folder}:`,
  about: {
    'README.md': 'what the files are, how to start, what to change first',
    'note.yaml': 'what is to be made',
    'release-note.yaml': 'what a run does',
    'writer.yaml': 'who makes it',
  } as Record<string, string>,
  next: { start: 'start', run: 'run it' },
  notNamespace: 'expected small letters, digits and -',
  takenNamespace: 'that is the namespace of what is built in',
  inTheWay: (folder: string, names: string) => `in ${folder} there is already: ${names}; nothing was written`,
  notWritten: (folder: string, why: string) => `${folder} cannot be written, and nothing of it was: ${why}`,
}
