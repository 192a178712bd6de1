/**
 * The statements of SQL text, in lower case and on one line each: without comments and without the texts in them, bodies of
 * functions among these. A `do` block is run when it is read, so what stands in it counts as statements too.
 */
export function statementsOf(sql: string): string[] {
  const found: string[] = []
  let statement = ''
  const end = () => {
    const text = tidy(statement)
    if (text !== '') found.push(text)
    statement = ''
  }
  for (const [piece] of sql.matchAll(PIECE)) {
    if (piece.startsWith('--') || piece.startsWith('/*')) statement += ' '
    else if (piece === ';') end()
    else if (/^\$\w*\$/.test(piece)) {
      if (/^\s*do\b/i.test(statement)) found.push(...insideOf(piece))
      statement += "''"
    } else statement += piece.startsWith("'") ? "''" : piece
  }
  end()
  return found
}

/** Comments, texts, quoted names, and the rest character by character. */
const PIECE = /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\w*)\$[\s\S]*?\$\1\$|[\s\S]/g

const tidy = (text: string): string => text.replaceAll('"', '').replace(/\s+/g, ' ').trim().toLowerCase()

/** Of a block's body every part that may be a statement, also those behind a keyword, and those in texts, which it may execute. */
function insideOf(block: string): string[] {
  const body = block.replace(/^\$\w*\$|\$\w*\$$/g, '').replace(/--[^\n]*/g, ' ')
  return body
    .split(/;|'|\b(?:begin|then|else|loop|execute)\b/i)
    .map(tidy)
    .filter((text) => text !== '')
}
