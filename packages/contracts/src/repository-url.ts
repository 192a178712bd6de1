/** Ways to a repository elsewhere that can be allowed. */
const SCHEMES = ['https:', 'http:', 'git:']

/**
 * The address of a repository elsewhere as one of the patterns allows it; undefined where it is no address, or none
 * allows it. A pattern is an address, whole, or a beginning of one that ends in `/*`. An address with a user or password
 * in it is allowed by none: it would stand in the log.
 */
export function allowedRepositoryUrl(repo: string, patterns: readonly string[]): string | undefined {
  const url = urlOf(repo)
  if (!url) return undefined
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') return undefined
  const isAllowed = patterns.some((pattern) => {
    const isBeginning = pattern.endsWith('/*')
    const allowed = urlOf(isBeginning ? pattern.slice(0, -1) : pattern)
    if (!allowed || allowed.protocol !== url.protocol || allowed.host !== url.host) return false
    if (/%2f|%5c|\\/i.test(url.pathname)) return false
    return isBeginning
      ? url.pathname.startsWith(allowed.pathname) && url.pathname.length > allowed.pathname.length
      : url.pathname === allowed.pathname
  })
  return isAllowed ? url.href : undefined
}

/** Whether a text names a repository by an address and not by a path. */
export const isRepositoryUrl = (repo: string): boolean => /^[a-z][a-z0-9+.-]*:\/\//i.test(repo)

function urlOf(text: string): URL | undefined {
  const url = isRepositoryUrl(text) ? URL.parse(text) : null
  return url && SCHEMES.includes(url.protocol) && url.host !== '' ? url : undefined
}
