import { harmless } from './fit.ts'

/** A JSON value as an outline for people, in the manner of YAML; long texts stay whole. */
export function outline(value: unknown, indent = ''): string[] {
  if (Array.isArray(value)) {
    if (value.length === 0) return [`${indent}[]`]
    return value.flatMap((item) => hung(item, `${indent}- `, `${indent}  `))
  }
  if (isObject(value)) {
    const entries = Object.entries(value)
    if (entries.length === 0) return [`${indent}{}`]
    return entries.flatMap(([key, item]) =>
      isLeaf(item)
        ? hung(item, `${indent}${harmless(key)}: `, `${indent}  `)
        : [`${indent}${harmless(key)}:`, ...outline(item, `${indent}  `)],
    )
  }
  return hung(value, indent, indent)
}

/** The item's lines, the first behind `first`, the others at `rest`. */
function hung(item: unknown, first: string, rest: string): string[] {
  const lines = isLeaf(item) ? textOf(item).split('\n') : outline(item)
  return lines.map((line, index) => `${index === 0 ? first : rest}${line}`)
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

const isLeaf = (value: unknown): boolean => !isObject(value) || Object.keys(value).length === 0

function textOf(value: unknown): string {
  if (typeof value === 'string') return harmless(value)
  return isObject(value) ? (Array.isArray(value) ? '[]' : '{}') : String(value)
}
