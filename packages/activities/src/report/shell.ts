/** A word for a POSIX shell that means exactly this text. */
export function word(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text
  return `'${text.replaceAll("'", `'\\''`)}'`
}

/** A document for a command's standard input: nothing in it is expanded, and no line of JSON is `END`. */
export function document(json: unknown): string {
  return `<<'END'\n${JSON.stringify(json, null, 2)}\nEND`
}
