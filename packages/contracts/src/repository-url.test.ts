import { expect, test } from 'vitest'
import { allowedRepositoryUrl } from './repository-url.ts'

const ALLOWED = ['https://git.example/acme/*', 'https://git.example/other/one.git', 'git://10.0.0.1:9418/*']

test.each([
  'https://git.example/acme/app.git',
  'https://GIT.example/acme/deep/app',
  'https://git.example/other/one.git',
  'git://10.0.0.1:9418/app',
])('%s is allowed', (url) => expect(allowedRepositoryUrl(url, ALLOWED)).toBeDefined())

test.each([
  'https://git.example/acme/',
  'https://git.example/acme',
  'https://git.example/acmeish/app.git',
  'https://git.example/acme/../private/app.git',
  'https://git.example/acme/%2e%2e/private/app.git',
  'https://git.example/acme/..%2fprivate/app.git',
  'https://git.example/other/one.git/more',
  'https://git.example.evil.test/acme/app.git',
  'https://git.example:8443/acme/app.git',
  'https://me:secret@git.example/acme/app.git',
  'https://git.example@evil.test/acme/app.git',
  'https://git.example/acme/app.git?x=1',
  'http://git.example/acme/app.git',
  'file:///etc/acme/app.git',
  'ext::sh -c id',
  'ssh://git.example/acme/app.git',
  'git.example:acme/app.git',
  '/git.example/acme/app',
])('%s is not', (url) => expect(allowedRepositoryUrl(url, ALLOWED)).toBeUndefined())
