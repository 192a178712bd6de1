import { z } from 'zod'
import { Principal } from './ids.ts'

/** What a caller may do; `admin` holds whatever the others do not name. */
export const SCOPES = [
  'runs:read',
  'runs:write',
  'gates:decide',
  'registry:read',
  'registry:write',
  'budgets:write',
  'tokens:write',
  'admin',
] as const
export const Scope = z.enum(SCOPES)
export type Scope = z.infer<typeof Scope>

/** Who is calling, and what they may. */
export const Me = z.object({
  principal: Principal,
  tenant: z.string(),
  scopes: z.array(Scope),
  approverAs: z.array(z.string()).describe('what they are where a gate names its approvers'),
})
export type Me = z.infer<typeof Me>
