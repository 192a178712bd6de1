import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Bench } from '../bench.ts'
import { cpuMs } from '../cpu.ts'
import { STEPS } from '../entries.ts'
import { judged, type Row, short } from '../figures.ts'
import type { PeerName } from '../peers.ts'
import { type Side, sideBySide } from '../side-by-side.ts'
import { expectCompleted, type Stack } from '../stack.ts'

/**
 * Durable steps: runs of three agent phases of a hundred turns, from the submission over HTTP to the end of the last
 * run. The model is a script and the tool answers at once, as the peers' steps are empty.
 */
export async function steps(bench: Bench): Promise<Row[]> {
  return [
    await compare(bench, 16, { dbos: 4, restate: 1.5 }),
    await compare(bench, 1, { dbos: 2 }),
    await withWorkspace(bench),
  ]
}

async function compare(bench: Bench, flows: number, aims: Partial<Record<PeerName, number>>): Promise<Row> {
  const stack = await bench.stack()
  const { postgres } = stack.endpoints.pids
  const sides = [devflow(stack, flows)]
  for (const name of ['dbos', 'restate'] as const) {
    const peer = await bench.peer(name)
    if (!peer) continue
    sides.push({
      name,
      play: () => peer.play({ flows, steps: STEPS, atOnce: flows }),
      cpuMs: () => peer.cpuMs() + (name === 'dbos' ? cpuMs([postgres]) : 0),
      count: flows * STEPS,
    })
  }
  const [ours, ...peers] = await sideBySide(bench, sides)
  if (!ours) throw new Error('nothing was measured')
  const aim = Object.entries(aims).map(([name, least]) => {
    const ratio = peers.find((peer) => peer.name === name)?.ratio
    return ratio === undefined ? `${name} is missing` : judged(`${least} × ${name}`, ratio >= least)
  })
  return {
    scenario: `durable steps/s, ${flows === 1 ? 'one run' : `${flows} runs`} × 3 phases × 100 turns`,
    devflow: `${short(ours.perSecond)} (${short(ours.cpuMs * 1000)} µs CPU a step)`,
    peers: peers
      .map(
        ({ name, perSecond, cpuMs, ratio }) =>
          `${name} ${short(perSecond)} (${short(cpuMs * 1000)} µs): ratio ${ratio.toFixed(2)}`,
      )
      .join('; '),
    aim: aim.join(', '),
  }
}

/** The same with a real tool on a real clone: each of the 48 phases clones the repository first. */
async function withWorkspace(bench: Bench): Promise<Row> {
  const stack = await bench.stack()
  const [figure] = await sideBySide(bench, [devflow(stack, 16, tinyRepository(join(bench.folder, 'stack')))])
  return {
    scenario: 'the same, 16 runs, `list_dir` on a clone of a repository',
    devflow: short(figure?.perSecond ?? Number.NaN),
  }
}

function devflow(stack: Stack, flows: number, repo?: string): Side {
  const one = async () => {
    const run = await stack.submit({ template: 'bench-agents@1', persona: 'hundred-turns@1', repo })
    expectCompleted(await stack.settled(run))
  }
  return {
    name: 'devflow',
    play: async () => {
      const started = performance.now()
      await Promise.all(Array.from({ length: flows }, one))
      return performance.now() - started
    },
    cpuMs: () => stack.cpuMs(),
    count: flows * STEPS,
  }
}

function tinyRepository(folder: string): string {
  const repo = join(folder, 'tiny')
  mkdirSync(repo, { recursive: true })
  writeFileSync(join(repo, 'README.md'), '# Tiny\n')
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=bench', '-c', 'user.email=bench@localhost', ...args], { cwd: repo })
  git('init', '-q')
  git('add', '.')
  git('commit', '-qm', 'Begin', '--allow-empty')
  return repo
}
