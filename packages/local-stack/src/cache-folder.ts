import envPaths from 'env-paths'

/** Where downloads and built tools are kept: DEVFLOW_CACHE, or the platform's cache folder. */
export function cacheFolder(env: { DEVFLOW_CACHE?: string }): string {
  return env.DEVFLOW_CACHE || envPaths('devflow', { suffix: '' }).cache
}
