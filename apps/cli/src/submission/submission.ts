import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { SubmitRun } from '@devflow/client'
import { jsonOrText } from '../commands/values.ts'
import type { Words } from '../messages/words.ts'
import { badUsage } from '../refuse.ts'

type Pair = [name: string, value: string]

export interface SubmissionFlags {
  input?: Pair[]
  inputFile?: string
  bind?: Pair[]
  repo?: string
  base?: string
  budget?: number
  label?: Pair[]
}

/** What is submitted. Rejects with INVALID `bad_usage` where the flags do not go together or a file cannot be read. */
export async function submissionOf(
  template: string,
  flags: SubmissionFlags,
  words: Words,
): Promise<SubmitRun> {
  const { bind, repo, base, budget, label } = flags
  if (base !== undefined && repo === undefined) throw badUsage(words.failures.baseNeedsRepo)
  const input = await inputOf(flags, words)
  return {
    template,
    ...(input === undefined ? {} : { input: input as SubmitRun['input'] }),
    ...(bind ? { bindings: Object.fromEntries(bind) } : {}),
    ...(budget === undefined ? {} : { budget: { limitMicroUsd: budget } }),
    ...(repo === undefined ? {} : { workspace: { repo: repositoryAt(repo), ...(base ? { base } : {}) } }),
    ...(label ? { labels: Object.fromEntries(label) } : {}),
  }
}

/** A folder is meant from here; an address of another kind is the server's to judge. */
const repositoryAt = (repo: string): string => (/^[a-z][a-z+.-]*:\/\//i.test(repo) ? repo : resolve(repo))

/** The input that flags make; fields of `--input` come over the file's, or over `before` where there is none. */
export async function inputOf(
  { input, inputFile }: Pick<SubmissionFlags, 'input' | 'inputFile'>,
  words: Words,
  before?: unknown,
): Promise<unknown> {
  const whole = inputFile === undefined ? before : await readInput(inputFile, words)
  if (!input) return whole
  if (whole !== undefined && !isObject(whole)) throw badUsage(words.failures.notObject)
  return { ...whole, ...Object.fromEntries(input.map(([name, value]) => [name, jsonOrText(value)])) }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

async function readInput(file: string, { failures }: Words): Promise<unknown> {
  // Only here: most inputs are told as flags.
  const { parse } = await import('yaml')
  try {
    // YAML reads JSON too.
    return parse(readFileSync(file === '-' ? 0 : file, 'utf8'), { prettyErrors: true })
  } catch (error) {
    throw badUsage(failures.notFile(file, error instanceof Error ? error.message : String(error)))
  }
}
