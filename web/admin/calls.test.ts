import { afterEach, expect, it, vi } from 'vitest'
import { calls, picture, Problem } from './calls.js'

afterEach(() => vi.unstubAllGlobals())

function answering(status: number, body: string) {
  const fetch = vi.fn<(path: string, init?: RequestInit) => Promise<Response>>()
  fetch.mockImplementation(() => Promise.resolve(new Response(status === 204 ? null : body, { status, statusText: 'So' })))
  vi.stubGlobal('fetch', fetch)
  return fetch
}

it('logs in with name and password', async () => {
  const fetch = answering(200, '{"name":"ops"}')
  expect(await calls.login('ops', 'secret')).toEqual({ name: 'ops' })
  expect(fetch.mock.calls[0]?.[0]).toBe('/v1/login')
  expect(fetch.mock.calls[0]?.[1]).toMatchObject({ method: 'POST', body: '{"name":"ops","password":"secret"}' })
})

it('escapes what it names', async () => {
  const fetch = answering(204, '')
  expect(await calls.drain('a/b')).toBeNull()
  expect(fetch.mock.calls[0]?.[0]).toBe('/v1/hosts/a%2Fb/drain')
})

it.each([
  ['{"title":"Conflict","detail":"it is draining already"}', 'it is draining already'],
  ['{"title":"Conflict"}', 'Conflict'],
  ['<html>', 'So'],
  ['', 'So'],
])('tells the problem of %s', async (body, want) => {
  answering(409, body)
  await expect(calls.drain('h')).rejects.toThrow(want)
  await expect(calls.drain('h')).rejects.toMatchObject({ status: 409 } satisfies Partial<Problem>)
})

it('puts the picture of a pool together', async () => {
  const fetch = answering(200, '{"items":[],"next":null,"name":"demo"}')
  expect(await picture('demo')).toMatchObject({ pool: { name: 'demo' }, hosts: [], sessions: [], queue: [] })
  expect(fetch).toHaveBeenCalledTimes(5)
})
