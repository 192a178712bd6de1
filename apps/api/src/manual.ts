import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A page of the manual: a Markdown file of `docs`. */
export interface ManualPage {
  /** The name of its file: `concepts.md`. */
  name: string
  title: string
  summary: string
  text: string
}

/** In the order they are best read in. Pages that are not named stand after these, with their first sentence. */
const NEEDED: Record<string, string> = {
  'concepts.md': 'the words: runs, phases, gates, personas, the log, and what is promised of them.',
  'templates.md': 'how to write templates, personas and schemas.',
  'functions.md': 'code of your own that phases call: entries, rights, what is on record, undoing.',
  'agents.md': 'how a session works, asks other agents for help, and stays within its context.',
  'http-api.md': 'how to submit, follow, decide and account for runs over HTTP; every error code.',
  'access.md': 'who may call, and as whom: principals, tokens, scopes.',
  'cli.md': 'the command line.',
  'registry.md': 'reading and changing what runs are made of, by folders and over HTTP.',
  'money.md': 'what calls cost: reservation, settlement, budgets, prices, preview.',
  'usage.md': 'what was spent, by model, persona, day, template, run or label.',
  'operations.md': 'processes, configuration, figures, upgrades.',
}
const OPTIONAL: Record<string, string> = {
  'reliability.md': 'which crashes are tested, and how.',
  'performance.md': 'what Devflow costs, measured beside peers.',
  'decisions.md': 'what was decided where another way was open, and why.',
}

/** The manual in the order it is best read in; empty where there is none, as in an image without it. */
export async function readManual(folder: string): Promise<ManualPage[]> {
  const files = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const names = files.filter((name) => name.endsWith('.md')).sort((one, other) => rank(one) - rank(other))
  return await Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(folder, name), 'utf8')
      return { name, title: /^# (.+)$/m.exec(text)?.[1] ?? name, summary: summaryOf(name, text), text }
    }),
  )
}

function rank(name: string): number {
  const needed = Object.keys(NEEDED)
  if (name in NEEDED) return needed.indexOf(name) - needed.length
  return Object.keys(OPTIONAL).indexOf(name) + 1
}

const summaryOf = (name: string, text: string): string =>
  NEEDED[name] ?? OPTIONAL[name] ?? firstSentenceOf(text)

/** The first sentence below the title, without links. */
function firstSentenceOf(text: string): string {
  const [paragraph = ''] = text.split(/\n{2,}/).filter((block) => !/^[#`|<!-]/.test(block))
  const plain = paragraph.replaceAll('\n', ' ').replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
  return /^.+?[.:;](?= |$)/.exec(plain)?.[0] ?? plain
}

const INTRODUCTION = `# Devflow

> A durable orchestrator for agent work: runs of templates with agents, gates where people decide, and a ledger of every cent. Runs survive the death of any process.

This host serves the HTTP API. Submit a run with \`POST /v1/runs\`, follow it with \`GET /v1/runs/{id}/events\`, decide its gates with \`POST /v1/runs/{id}/gates/{gate}/decisions\`, read what came of it with \`GET /v1/runs/{id}/report\`. Every refusal is \`application/problem+json\` with a \`kind\` and a stable \`code\`.
`

/** As llmstxt.org asks: what is here, and links to it as Markdown. */
export function llmsTxt(manual: readonly ManualPage[]): string {
  const line = ({ name, title, summary }: ManualPage) => `- [${title}](/docs/${name}): ${summary}`
  const isOptional = ({ name }: ManualPage) => name in OPTIONAL
  const section = (heading: string, lines: string[]) =>
    lines.length > 0 ? `\n## ${heading}\n\n${lines.join('\n')}\n` : ''
  return [
    INTRODUCTION,
    section('Docs', manual.filter((page) => !isOptional(page)).map(line)),
    section('API', [
      '- [OpenAPI 3.1](/openapi.json): every operation with its parameters, bodies, answers and errors, all with examples.',
      '- [Reference](/docs): the same as a page for people.',
      ...(manual.length > 0 ? ['- [The whole manual](/llms-full.txt): all pages in one text.'] : []),
    ]),
    section('Optional', manual.filter(isOptional).map(line)),
  ].join('')
}

/** All pages in one text. */
export function llmsFullTxt(manual: readonly ManualPage[]): string {
  return [INTRODUCTION, ...manual.map(({ name, text }) => `<!-- /docs/${name} -->\n\n${text}`)].join('\n')
}
