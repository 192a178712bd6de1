import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { quote } from 'shlex'
import type { Language } from '../messages/languages.ts'
import { USUAL_FOLDER, USUAL_NAMESPACE } from './usual-names.ts'

/** The files stand there as they are written where nothing else is told. */
const FOLDER = fileURLToPath(new URL('../../starter', import.meta.url))

/** Its template, behind the namespace. */
export const STARTER_TEMPLATE = 'release-note'

/** A file of the starter: its name, and what it holds. */
export interface StarterFile {
  name: string
  text: string
}

export interface StarterChoices {
  /** As it was told: commands that are typed in the same place find it so. */
  folder: string
  namespace: string
  language: Language
  /** What this program is called here. */
  program: string
}

/** A template with all that it needs, in a namespace, and a README that tells of them. */
export function starterFiles({ folder, namespace, language, program }: StarterChoices): StarterFile[] {
  const place = `${FOLDER}/${language}`
  return readdirSync(place)
    .sort()
    .map((name) => ({
      name,
      // By functions: `$` in a text that is put in stands for nothing else.
      text: readFileSync(`${place}/${name}`, 'utf8')
        .replace(new RegExp(`\\b${USUAL_NAMESPACE}:`, 'g'), () => `${namespace}:`)
        .replace(`--entries ${USUAL_FOLDER}`, () => `--entries ${quote(folder)}`)
        .replace(/\bnpx devflow\b/g, () => program),
    }))
}
