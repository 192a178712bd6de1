// A process that appends what its parent sends, and answers what became of each member.
import pg from 'pg'
import type { Answer, Member } from './append-types.ts'
import { GroupWriter } from './group-writer.ts'

process.once(
  'message',
  async ({
    databaseUrl,
    members,
    oneByOne,
  }: {
    databaseUrl: string
    members: Member[]
    oneByOne: boolean
  }) => {
    const pool = new pg.Pool({ connectionString: databaseUrl })
    const writer = new GroupWriter(databaseUrl, pool)
    const append = (member: Member): Promise<Answer | { error: string }> =>
      writer.append(member).catch((error: Error) => ({ error: error.message }))
    const answers: (Answer | { error: string })[] = []
    if (oneByOne) for (const member of members) answers.push(await append(member))
    else answers.push(...(await Promise.all(members.map(append))))
    process.send?.(answers)
  },
)
