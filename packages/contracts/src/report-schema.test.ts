import { expect, test } from 'vitest'
import { REPORT_FORMAT, reportSchema } from './reports.ts'

test('the schema of reports is the published one: what changes there is seen here', async () => {
  const file = `../schemas/report-${REPORT_FORMAT}.json`
  await expect(`${JSON.stringify(reportSchema(), null, 2)}\n`).toMatchFileSnapshot(file)
})
