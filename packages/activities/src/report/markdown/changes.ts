import type { Report } from '@devflow/contracts'
import { bytes } from './quantities.ts'
import { code, fenced, inline } from './safe-text.ts'

/** What the run changed in the files, and how to get it. */
export function changesChapter({ changes, runId }: Report): string[][] {
  if (!changes) return []
  const { branch, commit, base, files, insertions, deletions, artifacts, problem } = changes
  if (problem !== undefined)
    return [
      ['## Changes', '', `The run changed files, and they could not be put together: ${inline(problem)}`],
    ]
  const what = `${files} ${files === 1 ? 'file' : 'files'}, ${insertions} lines added, ${deletions} removed`
  const url = `"\${DEVFLOW_URL:-http://127.0.0.1:8787}/v1/runs/${runId}/artifacts/changes.bundle"`
  return [
    [
      '## Changes',
      '',
      `${what}, up to commit ${code(commit)}${base ? ` on top of ${code(base)}` : ''}. Nothing was pushed, and the repository is as it was.`,
      '',
      ...artifacts.map(
        ({ name, version, sha256, bytes: size }) =>
          `- ${code(name)}, version ${version}, ${bytes(size)}, SHA-256 ${code(sha256.slice(0, 12))}`,
      ),
      '',
      'To have them as a branch of the repository:',
      '',
      ...fenced(`curl -fs ${url} -o changes.bundle\ngit fetch changes.bundle ${branch}:${branch}`, 'sh'),
    ],
  ]
}
