import type { ChangeOp } from '@devflow/client'
import type { Paint } from '../terminal/palette.ts'
import type { Screen } from '../terminal/screen.ts'

export const MARKS: Record<ChangeOp, { mark: string; paint: Paint }> = {
  create: { mark: '+', paint: 'good' },
  update: { mark: '~', paint: 'notice' },
  delete: { mark: '-', paint: 'bad' },
}

interface Told {
  op: ChangeOp
  id: string
  kind?: string
}

/** `+ acme:note@1  schema`. */
export function changeLines(changes: readonly Told[], { palette }: Screen): string[] {
  return changes.map(({ op, id, kind }) => {
    const { mark, paint } = MARKS[op]
    return `${palette[paint](mark)} ${id}${kind === undefined ? '' : `  ${palette.faint(kind)}`}`
  })
}
