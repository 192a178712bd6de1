// Closes the migrations of a release, by hand: `node tests/architecture/release.ts`. From then on those that are there stay
// as they are, and later ones may only add to them, until a release has stopped using what they take away.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { RELEASES_FILE, readReleases } from './releases.ts'
import { ROOT } from './sources.ts'

const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
const releases = readReleases()
if (releases.some((release) => release.version === version)) throw new Error(`${version} is released already`)
const known = releases.flatMap(({ migrations }) => Object.keys(migrations))
const migrations = Object.fromEntries(
  readdirSync(join(ROOT, 'migrations'))
    .filter((file) => file.endsWith('.sql') && !known.includes(file.replace(/\.sql$/, '')))
    .sort()
    .map((file) => [
      file.replace(/\.sql$/, ''),
      createHash('sha256')
        .update(readFileSync(join(ROOT, 'migrations', file)))
        .digest('hex'),
    ]),
)
writeFileSync(RELEASES_FILE, `${JSON.stringify([...releases, { version, migrations }], null, 2)}\n`)
process.stdout.write(`${version}: ${Object.keys(migrations).length} migrations\n`)
