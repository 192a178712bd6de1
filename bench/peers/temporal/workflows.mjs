import { condition, defineQuery, defineUpdate, proxyActivities, setHandler } from '@temporalio/workflow'

const { step } = proxyActivities({ startToCloseTimeout: '30 seconds' })

export async function steps(count) {
  for (let i = 0; i < count; i++) await step()
}

const decide = defineUpdate('decide')
const isDecided = defineQuery('isDecided')

export async function decided() {
  let decision
  setHandler(decide, (said) => {
    decision = said
  })
  setHandler(isDecided, () => decision !== undefined)
  await condition(() => decision !== undefined)
  return decision
}
