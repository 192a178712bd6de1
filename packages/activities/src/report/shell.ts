/** A word for a POSIX shell that means exactly this text. */
export function word(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text
  return `'${text.replaceAll("'", `'\\''`)}'`
}

/** What a report's reader would not see, or not where it is. */
const HIDDEN = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

/** A document for a command's standard input: nothing in it is expanded or hidden, and no line of JSON is `END`. */
export function document(json: unknown): string {
  const spelled = (mark: string) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`
  return `<<'END'\n${JSON.stringify(json, null, 2).replaceAll(HIDDEN, spelled)}\nEND`
}
