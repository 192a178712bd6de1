// Brings a fresh clone to life: Node 26, pnpm 12 and the dependencies, with nothing but git, Node 20 and npm.
// Plain JavaScript without dependencies: it runs on Node 20 the first time, on Node 26 ever after.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { constants, tmpdir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The checkout. */
export const root = realpathSync(dirname(dirname(fileURLToPath(import.meta.url))))

/** The project's own Node. Always by this path: npm puts the `.bin` folders of enclosing checkouts on PATH too. */
export const node = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node')

const PNPM = 'pnpm@12'
const SHOWN = 15

/** A failure that is explained in words; it is printed without a stack. */
export class Explained extends Error {}

/** Runs `main`, and ends this process with the exit code it answers; an Explained failure with 1 and its words. */
export async function runScript(main) {
  try {
    process.exitCode = await main()
  } catch (error) {
    process.exitCode = 1
    if (!(error instanceof Explained)) throw error
    process.stderr.write(`\n${error.message}\n`)
  }
}

/** Where downloads and built tools are kept: DEVFLOW_CACHE, or the platform's cache folder. */
export function cacheFolder(env = process.env) {
  if (env.DEVFLOW_CACHE) return env.DEVFLOW_CACHE
  const home = homeFolder()
  if (process.platform === 'darwin') return join(home, 'Library', 'Caches', 'devflow')
  if (process.platform === 'win32')
    return join(env.LOCALAPPDATA || join(home, 'AppData', 'Local'), 'devflow', 'Cache')
  return join(env.XDG_CACHE_HOME || join(home, '.cache'), 'devflow')
}

/**
 * The variable by which Node keeps what it has compiled, so that the next start is sooner ready. None where the user has
 * decided, nor where others could write: what lies there is run.
 */
export function compileCache(env = process.env) {
  if (env.NODE_COMPILE_CACHE || env.NODE_DISABLE_COMPILE_CACHE) return {}
  const folder = join(cacheFolder(env), 'compiled')
  try {
    mkdirSync(cacheFolder(env), { recursive: true })
    if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700 })
    return isOursAlone(folder) ? { NODE_COMPILE_CACHE: folder } : {}
  } catch {
    // It is of use, and not needed.
    return {}
  }
}

function isOursAlone(folder) {
  const stat = lstatSync(folder)
  if (process.getuid === undefined) return stat.isDirectory()
  return stat.isDirectory() && stat.uid === process.getuid() && (stat.mode & 0o022) === 0
}

/** HOME may be empty, and this user may not be in the system's list. */
function homeFolder() {
  const home = process.env.HOME || listedHome()
  return home && existsSync(home) ? home : join(tmpdir(), `devflow-${process.getuid?.() ?? 'home'}`)
}

function listedHome() {
  try {
    return userInfo().homedir
  } catch {
    return undefined
  }
}

/** A hash of all that decides what is installed. Another hash than at the last install means: install again. */
export function stampOf(folder) {
  const hash = createHash('sha256')
  for (const file of [
    'pnpm-lock.yaml',
    'pnpm-workspace.yaml',
    'package.json',
    ...workspaceManifests(folder),
  ]) {
    hash.update(`${file}\0${readFileSync(join(folder, file), 'utf8')}\0`)
  }
  return hash.digest('hex')
}

function workspaceManifests(folder) {
  return ['apps', 'packages']
    .filter((parent) => existsSync(join(folder, parent)))
    .flatMap((parent) => readdirSync(join(folder, parent)).map((name) => join(parent, name, 'package.json')))
    .filter((file) => existsSync(join(folder, file)))
    .sort()
}

const stampFile = join(root, 'node_modules', '.devflow-stamp')

/** Installs what is missing. Nothing to do costs a few milliseconds. */
export async function bootstrap() {
  checkNode()
  const stamp = stampOf(root)
  if (existsSync(node) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return
  const started = Date.now()
  say('Setting up: Node 26 and the dependencies (the first time this downloads about 200 MB) …')
  await install()
  if (!existsSync(node))
    throw new Explained(`The installation brought no ${node}. Remove node_modules and try again.`)
  const fresh = `${stampFile}.${process.pid}`
  writeFileSync(fresh, stamp)
  renameSync(fresh, stampFile)
  say(`Set up in ${Math.round((Date.now() - started) / 1000)} s.`)
}

function checkNode() {
  const major = Number(process.versions.node.split('.')[0])
  if (major < 20)
    throw new Explained(`Node ${process.version} is too old to set Devflow up. Install Node 20 or later.`)
}

/** Everything downloaded goes to the cache folder, so that the next clone finds it there. */
async function install() {
  const cache = cacheFolder()
  try {
    mkdirSync(cache, { recursive: true })
  } catch (error) {
    throw new Explained(
      `The cache folder ${cache} cannot be made (${error.message}). Set DEVFLOW_CACHE to a folder you may write to.`,
    )
  }
  const npmCache = join(cache, 'npm')
  // node_modules made with another store would be thrown away and made anew: a changed DEVFLOW_CACHE keeps the old store.
  const store = storeInUse() ?? join(cache, 'pnpm-store')
  const args = ['-y', PNPM, 'install', '--frozen-lockfile', '--reporter', 'append-only', '--store-dir', store]
  const env = {
    ...process.env,
    HOME: process.env.HOME || homeFolder(),
    npm_config_cache: npmCache,
    npm_config_update_notifier: 'false',
    npm_config_fund: 'false',
    npm_config_audit: 'false',
    // Away is away: npm by itself would try for over a minute before it says so.
    npm_config_fetch_retry_mintimeout: process.env.npm_config_fetch_retry_mintimeout ?? '1000',
    npm_config_fetch_retry_maxtimeout: process.env.npm_config_fetch_retry_maxtimeout ?? '5000',
    // Asks nobody whether node_modules may be made anew: there may be no terminal.
    CI: 'true',
  }
  mkdirSync(env.HOME, { recursive: true })
  const { code, printed } = await call('npx', args, env)
  if (code !== 0) throw new Explained(explain(printed))
}

/** The store that node_modules was made with, as pnpm noted it (`…/v11` is pnpm's own subfolder). */
function storeInUse() {
  const notes = join(root, 'node_modules', '.modules.yaml')
  if (!existsSync(notes)) return undefined
  const store = /"?storeDir"?:\s*"?([^",\n]+)/.exec(readFileSync(notes, 'utf8'))?.[1]
  return store && existsSync(store) ? store.replace(/[\\/]v\d+$/, '') : undefined
}

function call(command, args, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
    })
    let printed = ''
    const hear = (text) => {
      printed = `${printed}${text}`.slice(-20_000)
      for (const line of String(text).split('\n')) {
        if (/^(Progress|Done|Packages:)/.test(line)) say(`  ${line}`)
      }
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.on('error', (error) =>
      reject(
        error.code === 'ENOENT'
          ? new Explained(
              `${command} was not found. It comes with npm: install Node 20 or later together with npm.`,
            )
          : error,
      ),
    )
    child.on('close', (code) => resolve({ code, printed }))
  })
}

const CAUSES = [
  [
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT|network/i,
    "The package registry was not reached. Check the network (and npm's proxy and registry settings), then try again; what was downloaded so far is kept.",
  ],
  [/ENOSPC|no space left/i, 'The disk is full. Free some space (about 2 GB are needed), then try again.'],
  [
    /EACCES|EPERM/,
    'A file or folder could not be written. Check who owns this checkout and the cache folder (DEVFLOW_CACHE).',
  ],
  [
    /OUTDATED_LOCKFILE/,
    'pnpm-lock.yaml does not fit the package.json files. Run `npx pnpm@12 install` and commit the lockfile.',
  ],
]

function explain(printed) {
  const cause = CAUSES.find(([pattern]) => pattern.test(printed))?.[1] ?? 'The installation failed.'
  const last = printed
    .trimEnd()
    .split('\n')
    .filter((line) => !/^npm error\s+(at |[{}]|$)/.test(line))
    .slice(-SHOWN)
    .map((line) => `  ${line}`)
  return [cause, '', "The installer's last words:", ...last].join('\n')
}

const say = (text) => process.stderr.write(`${text}\n`)

/**
 * Starts the project's Node and answers its exit code. Signals are handed on. Ctrl-C reaches the child from the terminal
 * and from us (and us from npm once more): a child to which a second signal means more has to take such a burst as one.
 */
export function runNode(args, options = {}) {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, DEVFLOW_CACHE: cacheFolder(), ...options.env }
    const child = spawn(node, args, { stdio: 'inherit', ...options, env })
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
    const handOn = (signal) => child.kill(signal)
    for (const signal of signals) process.on(signal, handOn)
    const stopWatching = watchShell(() => child.kill('SIGTERM'))
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      for (const name of signals) process.off(name, handOn)
      stopWatching()
      // An open IPC channel would keep us here.
      if (child.connected) child.disconnect()
      resolve(code ?? 128 + (constants.signals[signal] ?? 0))
    })
  })
}

/**
 * npm runs scripts by a shell, and hands signals to that shell, which dies of them and passes nothing on. So what npm runs
 * takes the end of its shell for the signal.
 */
function watchShell(onEnd) {
  if (!process.env.npm_lifecycle_event) return () => {}
  const shell = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === shell) return
    clearInterval(timer)
    onEnd()
  }, 250)
  return () => clearInterval(timer)
}
