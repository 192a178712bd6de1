import type { BudgetSetting } from '@devflow/client'
import type { BudgetPolicy, BudgetScope } from '@devflow/contracts'
import type { Command } from 'commander'
import { invocationOf } from '../../invocation.ts'
import { badUsage } from '../../refuse.ts'
import { changeBudgets, isOf } from './change-budgets.ts'

interface Flags {
  persona?: string
  usd?: number
  tokens?: number
  policy: BudgetPolicy
  allowUnpriced?: boolean
}

export async function setBudget(
  scope: BudgetScope,
  { persona, usd, tokens, policy, allowUnpriced }: Flags,
  command: Command,
): Promise<void> {
  const invocation = invocationOf(command)
  if (usd === undefined && tokens === undefined) throw badUsage(invocation.words.failures.limitsNothing)
  const setting: BudgetSetting = {
    scope,
    ...(persona === undefined ? {} : { persona }),
    ...(usd === undefined ? {} : { limitMicroUsd: usd }),
    ...(tokens === undefined ? {} : { limitTokens: tokens }),
    onExceeded: policy,
    ...(allowUnpriced ? { allowUnpriced } : {}),
  }
  await changeBudgets(invocation, (settings) => {
    const at = settings.findIndex(isOf(scope, persona))
    return at === -1 ? [...settings, setting] : settings.with(at, setting)
  })
}
