import { join } from 'node:path'

/** Where what lies in the data folder. */
export const dataLayout = (dataDir: string) => ({
  postgres: join(dataDir, 'postgres'),
  temporalStore: join(dataDir, 'temporal.db'),
  log: (name: string) => join(dataDir, 'logs', `${name}.log`),
})
