import { existsSync } from 'node:fs'
import { dirname } from 'node:path'

/** The path itself, or what is there above it: `devflow up` makes the rest. */
export function nearest(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : nearest(dirname(path))
}
