// Law: a Postgres and a Temporal for one machine, started as children that end with their parent. Imports contracts;
// reads no environment: what it needs to know is handed in.

export { cacheFolder } from './cache-folder.ts'
export { configFolder } from './config-folder.ts'
export { giveWay, USUAL_NICE } from './give-way.ts'
export { type DataLock, lockData } from './lock.ts'
export { freePorts, isFree } from './ports.ts'
export { type Postgres, type PostgresOptions, startPostgres } from './postgres.ts'
export { POSTGRES_MAJOR } from './postgres-programs.ts'
export { type Service, type ServiceOptions, startService } from './service.ts'
export { startTemporal, type Temporal, type TemporalOptions } from './temporal.ts'
export type { ObtainOptions } from './temporal-obtain.ts'
export { obtainTemporal, type TemporalProgram } from './temporal-program.ts'
export { adoptVersions } from './versions.ts'
