import { RE2JS } from 're2js'
import { Refused } from './tool.ts'

/**
 * A matcher for globs as models write them: `*`, `**`, `?`, `[a-z]` and `{a,b}`. A glob without `/` matches the file's
 * name alone. Made into RE2, which takes linear time whatever the glob: the usual libraries make backtracking ones.
 */
export function globMatcher(glob: string): (path: string) => boolean {
  const anchored = glob.includes('/') ? glob.replace(/^\.?\//, '') : `**/${glob}`
  const pattern = compilePattern(`^${translate(anchored)}$`, `glob "${glob}"`)
  return (path) => pattern.test(path)
}

/** Compiles in RE2 syntax; throws `Refused` with the reason. */
export function compilePattern(pattern: string, what: string): RE2JS {
  if (pattern.length > 1000) throw new Refused(`the ${what} is longer than 1,000 characters`)
  try {
    return RE2JS.compile(pattern)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Refused(
      `the ${what} cannot be used: ${reason}. The syntax is RE2: no look-around, no back-references.`,
    )
  }
}

const TOKEN = /\*\*\/|\*\*|\*|\?|\[!?[^\]/]+\]|[{},]|[^*?[{},]+|[\s\S]/g

function translate(glob: string): string {
  let depth = 0
  const parts = (glob.match(TOKEN) ?? []).map((token) => {
    if (token === '**/') return '(?:.*/)?'
    if (token === '**') return '.*'
    if (token === '*') return '[^/]*'
    if (token === '?') return '[^/]'
    if (token === '{') {
      depth += 1
      return '(?:'
    }
    if (token === '}' && depth > 0) {
      depth -= 1
      return ')'
    }
    if (token === ',' && depth > 0) return '|'
    if (/^\[.+\]$/.test(token)) return token.replace(/^\[!/, '[^').replaceAll('\\', '\\\\')
    return RE2JS.quote(token)
  })
  return parts.join('')
}
