import type { Seen } from './seen.ts'

export type Topic = 'purpose' | 'build' | 'test' | 'start' | 'entry' | 'runtime' | 'ci'

/** Something the repository says of itself, and where. `quote` stands in that line. */
export interface Fact {
  topic: Topic
  text: string
  path: string
  line: number
  quote: string
}

type Lines = [line: number, text: string][]
type Reader = (path: string, lines: Lines) => Fact[]

/** Files at the root that say what a repository is and how to work on it, in the order in which they are believed. */
export const TELLING: [pattern: RegExp, reader: Reader][] = [
  [/^readme(?:\.(?:md|txt|rst|adoc))?$/i, readReadme],
  [/^package\.json$/, readPackageJson],
  [/^pyproject\.toml$/, readToml],
  [/^Cargo\.toml$/, readToml],
  [/^go\.mod$/, readGoMod],
  [/^(?:GNUm|M|m)akefile$/, readMakefile],
  [/^[Jj]ustfile$/, readMakefile],
  [/^Dockerfile$/, readDockerfile],
]

/** Everything that the files read so far say, purpose first. */
export function factsIn(seen: Seen): Fact[] {
  return TELLING.flatMap(([pattern, reader]) =>
    [...seen.files]
      .filter(([path]) => pattern.test(path))
      .flatMap(([path, { lines }]) => reader(path, [...lines])),
  )
}

const trimmed = (text: string) => text.trim().slice(0, 300)

function readReadme(path: string, lines: Lines): Fact[] {
  const facts: Fact[] = []
  const heading = lines.find(([, text]) => /^#\s+\S/.test(text))
  if (heading)
    facts.push({
      topic: 'purpose',
      text: `The project is called “${heading[1].replace(/^#+\s*/, '').trim()}”`,
      path,
      line: heading[0],
      quote: trimmed(heading[1]),
    })
  // Badges, pictures, quotes and headings are no description.
  const start = lines.findIndex(([, text]) => /^[^\s#<>![|`=*-]/.test(text) && text.trim().length > 20)
  const first = lines[start]
  if (first) {
    const paragraph: string[] = []
    for (const [, text] of lines.slice(start)) {
      if (text.trim() === '') break
      paragraph.push(text.trim())
    }
    const whole = paragraph.join(' ')
    const shown = whole.length > 400 ? `${whole.slice(0, 400).replace(/\s\S*$/, '')} …` : whole
    facts.push({
      topic: 'purpose',
      text: `Its README says: “${shown}”`,
      path,
      line: first[0],
      quote: trimmed(first[1]),
    })
  }
  return facts
}

const SCRIPTS: [topic: Topic, names: RegExp][] = [
  ['test', /^(?:test|verify|check)$/],
  ['build', /^(?:build|compile)$/],
  ['start', /^(?:start|dev|serve)$/],
]

function readPackageJson(path: string, lines: Lines): Fact[] {
  const facts: Fact[] = []
  let section = ''
  for (const [line, text] of lines) {
    const opened = /^\s*"(\w+)":\s*\{/.exec(text)?.[1]
    if (opened !== undefined) section = opened
    else if (/^\s*\}/.test(text)) section = ''
    const [, key, value] = /^\s*"([^"]+)":\s*"((?:[^"\\]|\\.)*)"/.exec(text) ?? []
    if (key === undefined || value === undefined) continue
    const at = { path, line, quote: trimmed(text) }
    if (section === '' && key === 'description')
      facts.push({ topic: 'purpose', text: `Its manifest describes it as “${value}”`, ...at })
    if (section === '' && key === 'main')
      facts.push({ topic: 'entry', text: `Importing it loads ${value}`, ...at })
    if (section === 'bin') facts.push({ topic: 'entry', text: `The command ${key} runs ${value}`, ...at })
    if (section === 'engines') facts.push({ topic: 'runtime', text: `It wants ${key} ${value}`, ...at })
    const script = section === 'scripts' && SCRIPTS.find(([, names]) => names.test(key))
    if (script) facts.push({ topic: script[0], text: `\`npm run ${key}\` runs \`${value}\``, ...at })
  }
  return facts
}

function readToml(path: string, lines: Lines): Fact[] {
  const rust = path.endsWith('Cargo.toml')
  const facts: Fact[] = []
  let section = ''
  for (const [line, text] of lines) {
    const head = /^\[+([^\]]+)\]/.exec(text)?.[1]
    if (head !== undefined) section = head
    const at = { path, line, quote: trimmed(text) }
    const [, key, value] = /^([\w-]+)\s*=\s*"(.*)"/.exec(text) ?? []
    if (key === 'description' && value)
      facts.push({ topic: 'purpose', text: `Its manifest describes it as “${value}”`, ...at })
    if ((key === 'requires-python' || key === 'rust-version') && value)
      facts.push({
        topic: 'runtime',
        text: `It wants ${key.replace('-version', '').replace('requires-', '')} ${value}`,
        ...at,
      })
    if (section === 'project.scripts' && key && value)
      facts.push({ topic: 'entry', text: `The command ${key} runs ${value}`, ...at })
    if (head !== undefined && /^tool\.pytest\b/.test(head))
      facts.push({ topic: 'test', text: 'Its tests run with `pytest`', ...at })
    if (rust && head === 'package') {
      facts.push({ topic: 'build', text: 'It builds with `cargo build`', ...at })
      facts.push({ topic: 'test', text: 'Its tests run with `cargo test`', ...at })
    }
  }
  return facts
}

function readGoMod(path: string, lines: Lines): Fact[] {
  const module = lines.find(([, text]) => text.startsWith('module '))
  const version = lines.find(([, text]) => text.startsWith('go '))
  const at = ([line, text]: [number, string]) => ({ path, line, quote: trimmed(text) })
  return [
    ...(module
      ? [
          { topic: 'build' as const, text: 'It builds with `go build ./...`', ...at(module) },
          { topic: 'test' as const, text: 'Its tests run with `go test ./...`', ...at(module) },
        ]
      : []),
    ...(version
      ? [{ topic: 'runtime' as const, text: `It wants Go ${version[1].slice(3)}`, ...at(version) }]
      : []),
  ]
}

function readMakefile(path: string, lines: Lines): Fact[] {
  const tool = /just/i.test(path) ? 'just' : 'make'
  return lines.flatMap(([line, text]) => {
    const target = /^([A-Za-z][\w-]*)\s*:(?!=)/.exec(text)?.[1]
    const script = target === undefined ? undefined : SCRIPTS.find(([, names]) => names.test(target))
    return script
      ? [{ topic: script[0], text: `\`${tool} ${target}\` is a target`, path, line, quote: trimmed(text) }]
      : []
  })
}

function readDockerfile(path: string, lines: Lines): Fact[] {
  const last = lines.findLast(([, text]) => /^(?:CMD|ENTRYPOINT)\b/.test(text))
  return last
    ? [
        {
          topic: 'start',
          text: `Its container runs ${trimmed(last[1]).replace(/^\w+\s+/, '')}`,
          path,
          line: last[0],
          quote: trimmed(last[1]),
        },
      ]
    : []
}
