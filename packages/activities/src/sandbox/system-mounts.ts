import { existsSync, lstatSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

/** Folders of the system that programs live in; where they are links into /usr they are so inside as well. */
const PROGRAMS = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32']

/** Of /etc only what programs need to run: no passwords, no keys, no configuration of services. */
export const SETTINGS = [
  'alternatives',
  'ca-certificates',
  'crypto-policies',
  'debian_version',
  'fonts',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'localtime',
  'mime.types',
  'nsswitch.conf',
  'os-release',
  'pki/ca-trust',
  'pki/tls/certs',
  'protocols',
  'services',
  'ssl/certs',
  'ssl/openssl.cnf',
  'timezone',
]

/** Arguments that show the system's programs and libraries, all read-only. */
export function systemMounts(): string[] {
  const mounts = ['--ro-bind', '/usr', '/usr']
  for (const folder of PROGRAMS) {
    if (!existsSync(folder)) continue
    if (lstatSync(folder).isSymbolicLink()) mounts.push('--symlink', readlinkSync(folder), folder)
    else mounts.push('--ro-bind', folder, folder)
  }
  for (const name of SETTINGS) mounts.push('--ro-bind-try', join('/etc', name), join('/etc', name))
  return mounts
}
