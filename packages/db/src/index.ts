// Law: the run log and its projections in Postgres; one verb per query file. Imports contracts.
export { migrate, migrationsFolder } from './migrate.ts'
