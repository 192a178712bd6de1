import { defineConfig } from 'vitest/config'

/** `npm run soak` runs the long ones. */
const include = process.env.DEVFLOW_SOAK
  ? ['soak/**/*.soak.ts']
  : ['packages/**/*.test.ts', 'apps/**/*.test.ts', 'tests/**/*.test.ts', 'scripts/**/*.test.ts']

export default defineConfig({
  test: {
    include,
    globalSetup: './tests/setup/global.ts',
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 15_000,
  },
})
