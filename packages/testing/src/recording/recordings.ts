import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Exchange } from './exchange.ts'

/** Where recordings of the real OpenRouter are kept: a folder each, a file an exchange. */
export const OPENROUTER_RECORDINGS = fileURLToPath(new URL('../../fixtures/openrouter', import.meta.url))

/** Writes a recording in place of the one that is there: all of it, or nothing. Answers the files. */
export async function writeRecording(folder: string, exchanges: readonly Exchange[]): Promise<string[]> {
  await mkdir(dirname(folder), { recursive: true })
  const fresh = await mkdtemp(`${folder}.`)
  const names = exchanges.map(({ n }) => `${String(n).padStart(3, '0')}.json`)
  try {
    for (const [at, exchange] of exchanges.entries())
      await writeFile(join(fresh, names[at] as string), `${JSON.stringify(exchange, null, 2)}\n`)
    await rm(folder, { recursive: true, force: true })
    await rename(fresh, folder)
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
  return names.map((name) => join(folder, name))
}

export async function readRecording(folder: string): Promise<Exchange[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort()
  return await Promise.all(
    names.map(async (name) => JSON.parse(await readFile(join(folder, name), 'utf8')) as Exchange),
  )
}

/** The recordings that there are, by name. */
export async function readRecordings(
  home = OPENROUTER_RECORDINGS,
): Promise<{ name: string; exchanges: Exchange[] }[]> {
  if (!existsSync(home)) return []
  const entries = await readdir(home, { withFileTypes: true })
  return await Promise.all(
    entries
      .filter((entry) => entry.isDirectory())
      .map(async ({ name }) => ({ name: basename(name), exchanges: await readRecording(join(home, name)) })),
  )
}
