/** A way into a JSON value as users read it: `phases[2].gate.deadline`; the whole value is `$`. */
export function pathText(path: readonly PropertyKey[]): string {
  let text = ''
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`
    else if (/^[A-Za-z_$][\w$-]*$/.test(String(step))) text += text === '' ? String(step) : `.${String(step)}`
    else text += `[${JSON.stringify(String(step))}]`
  }
  return text === '' ? '$' : text
}

/** A way, as `pathText` writes it, that goes on from another: `input` and `a[0]` make `input.a[0]`. */
export function pathUnder(base: string, path: string): string {
  if (path === '$' || path === '') return base
  return path.startsWith('[') ? `${base}${path}` : `${base}.${path}`
}

/** The steps of an RFC 6901 pointer; the value tells list positions from keys that look like numbers. */
export function pointerSteps(pointer: string, value: unknown): (string | number)[] {
  let at = value
  return pointer
    .split('/')
    .slice(1)
    .map((part) => {
      const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
      const step = Array.isArray(at) ? Number(key) : key
      at = at !== null && typeof at === 'object' ? (at as Record<string | number, unknown>)[step] : undefined
      return step
    })
}
