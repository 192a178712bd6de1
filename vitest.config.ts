import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import { TestOrder } from './tests/setup/order.ts'

/** `npm run soak` runs the long ones. */
const include = process.env.DEVFLOW_SOAK
  ? ['{soak,tests}/**/*.soak.ts']
  : ['packages/**/*.test.ts', 'apps/**/*.test.ts', 'tests/**/*.test.ts', 'scripts/**/*.test.ts']

export default defineConfig({
  test: {
    include,
    globalSetup: './tests/setup/global.ts',
    pool: 'forks',
    // Files leave nothing behind: each has its own database, namespace and folders. A process for each would cost a quarter
    // of the time, most of it for loading the same modules again.
    isolate: false,
    // Tests start hundreds of processes of ours: what Node has compiled for one is there for the next.
    env: { NODE_COMPILE_CACHE: join(tmpdir(), 'devflow-compile-cache') },
    sequence: { sequencer: TestOrder },
    // More than cores: a third of the time of a file it waits. The figures of the long ones are of two.
    maxWorkers: process.env.DEVFLOW_SOAK ? 2 : 3,
    // These tests kill and freeze whole stacks against real clocks: a machine that was busy for once is no defect, and
    // what fails twice is.
    retry: process.env.CI ? 1 : 0,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 15_000,
  },
})
