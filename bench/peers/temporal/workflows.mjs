import { proxyActivities } from '@temporalio/workflow'

const { step } = proxyActivities({ startToCloseTimeout: '30 seconds' })

export async function steps(count) {
  for (let i = 0; i < count; i++) await step()
}
