import type { Me } from '@devflow/contracts'
import { MeBody } from '../bodies.ts'
import type { ApiDeps } from '../deps.ts'
import type { Operations } from '../operation.ts'

export function accessRoutes(operations: Operations, { tenant }: ApiDeps): void {
  operations.add(
    {
      method: 'get',
      path: '/v1/me',
      operationId: 'readMe',
      summary: 'Who is calling, and what they may',
      description: 'On a loopback address that is the owner of this machine, who may everything.',
      tag: 'access',
      answers: { 200: { description: 'The caller.', schema: MeBody } },
    },
    ({ c, caller: { principal, holds, scopes } }) =>
      c.json({ principal, tenant, scopes: [...scopes], approverAs: [...holds] } satisfies Me),
  )
}
