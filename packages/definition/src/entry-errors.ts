import type { ErrorDetail } from '@devflow/contracts'
import type { z } from 'zod'
import { pathText } from './path.ts'

type Issue = z.core.$ZodIssue

/** A zod issue as flat errors with paths from the entry's root. */
export interface EntryError {
  path: PropertyKey[]
  message: string
}

export function entryErrors(issues: readonly Issue[], base: readonly PropertyKey[] = []): EntryError[] {
  const seen = new Set<string>()
  // What fails in its shape mostly fails every check after it: the first word on a place is enough.
  return issues
    .flatMap((issue) => explain(issue, base))
    .filter(({ path }) => !seen.has(pathText(path)) && seen.add(pathText(path)))
}

export function detailOf(error: EntryError, where: string): ErrorDetail {
  return { path: pathText(error.path), message: `${error.message} (${where})` }
}

function explain(issue: Issue, base: readonly PropertyKey[]): EntryError[] {
  const path = [...base, ...issue.path]
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ path: [...path, key], message: 'unknown field' }))
    case 'invalid_union': {
      const branch = closest(issue.errors)
      return branch ? entryErrors(branch, path) : [{ path, message: issue.message }]
    }
    case 'invalid_key':
      return [{ path, message: issue.issues[0]?.message ?? 'is not a valid name' }]
    case 'invalid_element':
      return entryErrors(issue.issues, path)
    case 'invalid_type':
      return [
        {
          path,
          message:
            issue.input === undefined && /undefined$/.test(issue.message)
              ? `is missing: expected ${issue.expected}`
              : issue.message,
        },
      ]
    default:
      return [{ path, message: issue.message }]
  }
}

/** The alternative the author most likely meant: the one whose shape fits best. */
function closest(branches: readonly Issue[][]): Issue[] | undefined {
  const scored = branches.map((issues) => ({
    issues,
    misfit: issues.reduce((sum, issue) => sum + misfit(issue), 0),
  }))
  return scored.sort((a, b) => a.misfit - b.misfit)[0]?.issues
}

function misfit(issue: Issue): number {
  if (issue.path.length > 1) return 1
  if (issue.code === 'unrecognized_keys') return 10 * issue.keys.length
  if (issue.path.length === 0 && /^invalid_(type|value)$/.test(issue.code)) return 100
  if (issue.code === 'invalid_type') return 10
  return 2
}
