import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ROOT, textOf } from './compose-file.ts'
import { contextFiles, type Instruction, stagesOf } from './dockerfile.ts'

export interface BuiltImage {
  /** What is at /app in the image. */
  app: string
  env: Record<string, string>
  command: string[]
  /** Commands that belong to the base system, and were not run. */
  skipped: string[]
}

/** What a container's system brings, and this one has in its own way. */
const OF_THE_SYSTEM = /^(npm install --global|apt-get) /

/**
 * Does by hand in a folder what `docker build` would: the files that .dockerignore lets through, copied and worked on as
 * the Dockerfile says. Commands for the base system are left out. pnpm is that of the Dockerfile's version.
 */
export function buildImage(folder: string, pnpmStore: string): BuiltImage {
  const files = contextFiles(ROOT)
  const shims = join(folder, 'shims')
  const [, pnpm = ''] = /(pnpm@\d+\.\d+\.\d+)/.exec(textOf('Dockerfile')) ?? []
  mkdirSync(shims, { recursive: true })
  writeFileSync(join(shims, 'pnpm'), `#!/bin/sh\nexec npx -y ${pnpm} "$@" --store-dir '${pnpmStore}'\n`)
  chmodSync(join(shims, 'pnpm'), 0o755)
  // npm's own variables, of whoever started this test, would steer pnpm.
  const inherited = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name))
  const shell = {
    ...Object.fromEntries(inherited),
    PATH: `${shims}:${dirname(process.execPath)}:${process.env.PATH}`,
  }

  const image: BuiltImage = { app: '', env: {}, command: [], skipped: [] }
  for (const { name = 'final', instructions } of stagesOf(textOf('Dockerfile'))) {
    const at = (path: string) => join(folder, name, path)
    let workdir = '/'
    const perform: Record<string, (text: string) => void> = {
      WORKDIR: (text) => {
        workdir = text
        mkdirSync(at(text), { recursive: true })
      },
      COPY: (text) => {
        const [, from, rest = ''] = /^(?:--from=(\S+) )?(.*)$/.exec(text) ?? []
        const words = rest.split(' ')
        const target = at(join(workdir, words.at(-1) ?? ''))
        if (from) copyWhole(join(folder, from, words[0] ?? ''), target)
        else copyFiles(files, words, target)
      },
      RUN: (text) => {
        if (OF_THE_SYSTEM.test(text)) image.skipped.push(text)
        else
          execFileSync('sh', ['-ec', text], {
            cwd: at(workdir),
            env: shell,
            stdio: ['ignore', 'pipe', 'pipe'],
          })
      },
      ENV: (text) => {
        const [, variable = '', value = ''] = /^(\w+)=(.*)$/.exec(text) ?? []
        image.env[variable] = value
      },
      CMD: (text) => {
        image.command = JSON.parse(text)
      },
      USER: () => {},
      EXPOSE: () => {},
    }
    for (const instruction of instructions) performed(perform, instruction)
    image.app = at('/app')
  }
  return image
}

function performed(perform: Record<string, (text: string) => void>, { name, text }: Instruction): void {
  const how = perform[name]
  if (!how) throw new Error(`how is ${name} done by hand?`)
  how(text)
}

/** Files and folders of the context: a folder's content goes into the target, as COPY does it. */
function copyFiles(files: readonly string[], words: readonly string[], target: string): void {
  const sources = words.slice(0, -1)
  for (const source of sources) {
    const isFile = files.includes(source)
    const within = isFile ? [source] : files.filter((file) => file.startsWith(`${source}/`))
    if (within.length === 0) throw new Error(`COPY ${source}: .dockerignore lets nothing of it through`)
    for (const file of within) {
      const to = isFile ? join(target, source) : join(target, file.slice(source.length + 1))
      mkdirSync(dirname(to), { recursive: true })
      cpSync(join(ROOT, file), to)
    }
  }
}

function copyWhole(from: string, to: string): void {
  mkdirSync(to, { recursive: true })
  // Links instead of copies: it is much, and nobody writes to it.
  execFileSync('cp', ['-a', '--link', `${from}/.`, to])
}
