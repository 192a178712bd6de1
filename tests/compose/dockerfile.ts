import { execFileSync } from 'node:child_process'
import { textOf } from './compose-file.ts'

export interface Instruction {
  name: string
  text: string
}

export interface Stage {
  name: string | undefined
  base: string
  instructions: Instruction[]
}

/** The stages of a Dockerfile, comments left out and continued lines put together. */
export function stagesOf(text: string): Stage[] {
  const lines = text
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '')
  const stages: Stage[] = []
  for (const line of lines) {
    const [, name = '', text = ''] = /^([A-Z]+) (.*)$/.exec(line) ?? []
    if (name === 'FROM') {
      const [, base = '', as] = /^(\S+)(?: AS (\S+))?$/.exec(text) ?? []
      stages.push({ name: as, base, instructions: [] })
    } else stages.at(-1)?.instructions.push({ name, text })
  }
  return stages
}

/** The files that a build is given: those of the checkout that .dockerignore lets through. */
export function contextFiles(root: string): string[] {
  const rules = textOf('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ isBack: line.startsWith('!'), pattern: patternOf(line.replace(/^!/, '')) }))
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
    cwd: root,
    encoding: 'utf8',
  })
  return listed.split('\0').filter((file) => {
    // The last rule that speaks of a file, or of a folder it lies in, decides.
    const rule = rules.findLast(({ pattern }) => pattern.test(file))
    return file !== '' && (rule === undefined || rule.isBack)
  })
}

function patternOf(glob: string): RegExp {
  const text = glob
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('**/', '\0')
    .replaceAll('*', '[^/]*')
    .replaceAll('\0', '(?:.*/)?')
  return new RegExp(`^${text}(?:/|$)`)
}
