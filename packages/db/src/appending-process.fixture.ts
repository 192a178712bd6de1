// A process that appends what its parent sends, and answers what became of each member; as often as it is asked.
import pg from 'pg'
import type { Answer, Member } from './append-types.ts'
import { GroupWriter } from './group-writer.ts'

const [, , databaseUrl = ''] = process.argv
const writer = new GroupWriter(databaseUrl, new pg.Pool({ connectionString: databaseUrl }))
const append = (member: Member): Promise<Answer | { error: string }> =>
  writer.append(member).catch((error: Error) => ({ error: error.message }))

process.on('message', async ({ members, oneByOne }: { members: Member[]; oneByOne: boolean }) => {
  const answers: (Answer | { error: string })[] = []
  if (oneByOne) for (const member of members) answers.push(await append(member))
  else answers.push(...(await Promise.all(members.map(append))))
  process.send?.(answers)
})
