import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestApi, testApi } from '../test-api.fixture.ts'

let api: TestApi
beforeAll(async () => {
  api = await testApi({}, afterAll)
})
const textOf = async (path: string) => {
  const response = await api.request(path)
  return {
    type: response.headers.get('content-type'),
    headers: response.headers,
    text: await response.text(),
  }
}

test('the reference shows every operation, code and schema, and runs and loads nothing', async () => {
  const { type, headers, text } = await textOf('/docs')
  expect(type).toBe('text/html; charset=UTF-8')
  const policy = headers.get('content-security-policy') ?? ''
  expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-[\w+/]+=*'; /)
  expect(policy).not.toMatch(/unsafe|script|https?:/)
  expect(text).not.toMatch(/<script|<link|<img|\bsrc=|\bstyle="|\bon\w+="|@import|url\(/)
  const document = (await api.call('/openapi.json')).body
  const ids = new Set([...text.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]))
  for (const item of Object.values<Record<string, { operationId: string }>>(document.paths))
    for (const { operationId } of Object.values(item)) expect(ids).toContain(operationId)
  for (const name of Object.keys(document.components.schemas)) expect(ids).toContain(`schema-${name}`)
  const links = [...text.matchAll(/href="#([^"]+)"/g)].map((match) => match[1])
  expect(links.filter((link) => !ids.has(link))).toEqual([])
  expect(text).toContain('run_not_found')
})

test('the style of the reference is what its policy lets in, and its text is escaped', async () => {
  const { headers, text } = await textOf('/docs')
  const style = /<style>([\s\S]*?)<\/style>/.exec(text)?.[1] ?? ''
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(style))
  expect(headers.get('content-security-policy')).toContain(
    `'sha256-${Buffer.from(digest).toString('base64')}'`,
  )
  expect(text).toContain('&quot;$API/v1/runs&quot;')
  expect(text).not.toMatch(/label\.<k>|\[object|undefined/)
})

test('language models are led to the manual as Markdown', async () => {
  const { type, text } = await textOf('/llms.txt')
  expect(type).toMatch(/^text\/plain; charset=UTF-8$/i)
  expect(text).toMatch(/^# Devflow\n\n> .+\n/)
  const links = [...text.matchAll(/^- \[.+?\]\((\/.+?)\): \S/gm)].map((match) => match[1] ?? '')
  expect(links).toEqual(expect.arrayContaining(['/docs/concepts.md', '/docs/http-api.md', '/openapi.json']))
  for (const link of links) expect((await api.request(link)).status, link).toBe(200)
  const page = await textOf('/docs/concepts.md')
  expect(page).toMatchObject({
    type: 'text/markdown; charset=utf-8',
    text: expect.stringMatching(/^# Concepts\n/),
  })
  expect((await textOf('/llms-full.txt')).text).toContain(page.text)
})

test.each(['/docs/none.md', '/docs/..%2Fpackage.json', '/docs/concepts', '/docs/__proto__'])(
  '%s is no page of the manual',
  async (path) => {
    expect(await api.call(path)).toMatchObject({ status: 404, body: { code: 'not_found' } })
  },
)
