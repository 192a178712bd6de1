import { defineConfig } from 'drizzle-kit'

// Functions, triggers and partitions are written by hand: `drizzle-kit generate --custom`.
export default defineConfig({
  dialect: 'postgresql',
  schema: './packages/db/src/schema.ts',
  out: './migrations',
  schemaFilter: ['devflow'],
})
