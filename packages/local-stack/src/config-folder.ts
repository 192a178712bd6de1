import { isAbsolute, join } from 'node:path'
import envPaths from 'env-paths'

/** Where what a user has set up is kept: below XDG_CONFIG_HOME, or the platform's folder. Undefined where the user has no home. */
export function configFolder(env: { XDG_CONFIG_HOME: string | undefined }): string | undefined {
  const told = env.XDG_CONFIG_HOME
  // The specification of these folders: a path that is not absolute is none. Without a home env-paths answers such a one.
  const folder = told && isAbsolute(told) ? join(told, 'devflow') : envPaths('devflow', { suffix: '' }).config
  return isAbsolute(folder) ? folder : undefined
}
