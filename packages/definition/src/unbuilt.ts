import type { ErrorDetail, Phase } from '@devflow/contracts'

/**
 * What the format knows and this build does not do yet. It is refused where a run is submitted: a rule that is
 * silently not kept is worse than one that cannot be had.
 */
export function unbuiltErrors(phase: Phase, base: string): ErrorDetail[] {
  const unbuilt: [path: string, isUsed: boolean][] = []
  if ('gate' in phase) {
    const { onReject, allowChanges, notAuthors } = phase.gate
    unbuilt.push(
      ['gate.onReject.goto', typeof onReject === 'object'],
      ['gate.allowChanges', allowChanges !== undefined],
      ['gate.notAuthors', notAuthors === true],
    )
  }
  return unbuilt
    .filter(([, isUsed]) => isUsed)
    .map(([path]) => ({ path: `${base}.${path}`, message: 'this build does not do this yet' }))
}
