import { afterEach, expect, test, vi } from 'vitest'
import { refreshSession, sessionFetch } from './session'

const answers = (...statuses: number[]) => {
  const sent: string[] = []
  vi.stubGlobal('fetch', (input: Request | string) => {
    sent.push(typeof input === 'string' ? input : new URL(input.url).pathname)
    return Promise.resolve(new Response(null, { status: statuses.shift() ?? 500 }))
  })
  return sent
}

afterEach(() => vi.unstubAllGlobals())

const request = () => new Request('http://localhost:8000/v1/projects', { method: 'POST', body: '{"name":"x"}' })

test('a refused request is sent again once the session was continued', async () => {
  const sent = answers(401, 200, 201)
  expect((await sessionFetch(request())).status).toBe(201)
  expect(sent).toEqual(['/v1/projects', '/dashboard/session/refresh', '/v1/projects'])
})

test('without a session the refusal stands', async () => {
  const sent = answers(401, 401)
  expect((await sessionFetch(request())).status).toBe(401)
  expect(sent).toHaveLength(2)
})

test('what is no refusal of the session is not repeated', async () => {
  const sent = answers(403)
  expect((await sessionFetch(request())).status).toBe(403)
  expect(sent).toHaveLength(1)
})

test('callers at once share a refresh', async () => {
  const sent = answers(200)
  expect(await Promise.all([refreshSession(), refreshSession(), refreshSession()])).toEqual([true, true, true])
  expect(sent).toHaveLength(1)
})

test('a server that does not answer is no end of the session', async () => {
  answers(503)
  await expect(refreshSession()).rejects.toThrow()
})
