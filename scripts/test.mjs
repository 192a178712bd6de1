// npm test: sets up what is missing, checks the sources, runs every test. Last line: `N passed, N failed, N skipped`,
// where each check counts as one. `--verify-only` stops after the checks; other arguments go to vitest.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bootstrap, node, root, runNode, runScript } from './bootstrap.mjs'

const CHECKS = [
  ['format and lint', '@biomejs/biome/bin/biome', 'check', '.'],
  ['types', 'typescript/bin/tsc', '-p', '.'],
  ['unused code', 'knip/bin/knip.js'],
]

/** One row of the table: prints how a check went, and what it says when it failed. */
async function check([name, program, ...args]) {
  const started = performance.now()
  const path = join(root, 'node_modules', program)
  const child = spawn(node, [path, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  const said = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'])
    child[stream].setEncoding('utf8').on('data', (text) => {
      said[stream] += text
    })
  const [status] = await once(child, 'close')
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  process.stdout.write(`${status === 0 ? '✓' : '✗'} ${name} (${seconds} s)\n`)
  if (status !== 0) process.stdout.write(`${said.stdout}${said.stderr}\n`)
  return status === 0
}

/** Runs vitest and counts from its JSON report. What fails outside of a test counts as one failure. */
async function runTests(args) {
  const folder = mkdtempSync(join(tmpdir(), 'devflow-report-'))
  try {
    const report = join(folder, 'report.json')
    const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
    const code = await runNode([vitest, 'run', ...reporters, ...args], { cwd: root })
    const counts = existsSync(report)
      ? countsOf(JSON.parse(readFileSync(report, 'utf8')))
      : { passed: 0, failed: 0, skipped: 0 }
    if (code !== 0 && counts.failed === 0) counts.failed = 1
    return counts
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function countsOf(report) {
  const brokenFiles = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  )
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + brokenFiles.length,
    skipped: report.numPendingTests + report.numTodoTests,
  }
}

await runScript(async () => {
  await bootstrap()
  const verifyOnly = process.argv.includes('--verify-only')
  const results = await Promise.all(CHECKS.map(check))
  const passed = results.filter(Boolean).length
  const rest = process.argv.slice(2).filter((arg) => arg !== '--verify-only')
  const tests = verifyOnly ? { passed: 0, failed: 0, skipped: 0 } : await runTests(rest)
  const failed = results.length - passed + tests.failed
  process.stdout.write(`${passed + tests.passed} passed, ${failed} failed, ${tests.skipped} skipped\n`)
  return failed === 0 ? 0 : 1
})
