import { describe, expect, it } from 'vitest'
import { decode, decodeStreamInfo } from './decode.js'
import { offered, queued, seated, welcome } from './testing/says.js'

const as = (m: object, changes: object) => JSON.stringify({ ...m, ...changes })

describe('decode', () => {
  it('reads a message and leaves out what newer servers add', () => {
    expect(decode(as(welcome(), { colour: 'blue' }))).toEqual(welcome())
    expect(decode(JSON.stringify(queued({ wait: { p50_s: 1, p90_s: 2 }, moved: 'promoted' })))).toMatchObject({ moved: 'promoted' })
  })

  it('keeps words that newer servers add', () => {
    expect(decode('{"type":"notice","code":"fireworks","message":"look up"}')).toMatchObject({ code: 'fireworks' })
  })

  it.each([
    ['not JSON', '{', 'malformed', 'not JSON'],
    ['a list', '[]', 'malformed', 'a list'],
    ['null', 'null', 'malformed', 'null'],
    ['no type', '{}', 'malformed', 'type'],
    ['a type that is no text', '{"type":7}', 'malformed', 'number'],
    ['an unknown type', '{"type":"teleported"}', 'unknown', 'teleported'],
    ['a type of every object', '{"type":"toString"}', 'unknown', 'toString'],
    ['a missing field', '{"type":"offered","offer":"o"}', 'malformed', 'offered.session'],
    ['a position in words', as(queued(), { position: 'third' }), 'malformed', 'queued.position'],
    ['a wait of one number', as(queued(), { wait: { p50_s: 3 } }), 'malformed', 'queued.wait.p90_s'],
    ['a time that is none', as(offered(), { expires_at: 'soon' }), 'malformed', 'offered.expires_at'],
    ['a day that is none', as(offered(), { expires_at: '2026-99-99T00:00:00Z' }), 'malformed', 'offered.expires_at'],
    ['a sharing that is none', as(seated(), { sharing: 'maybe' }), 'malformed', 'seated.sharing'],
    ['null for a number', as(seated(), { watchers: null }), 'malformed', 'seated.watchers'],
  ])('says what is wrong with %s', (_, frame, kind, names) => {
    const m = decode(frame)
    expect(m).toMatchObject({ type: 'unusable', kind })
    expect(m.type === 'unusable' && m.why).toContain(names)
  })
})

describe('decodeStreamInfo', () => {
  const info = { mime: 'image/jpeg', codec: 'mjpeg', width: 640, height: 360, rate: 30, audio: false }
  it('reads the first frame', () => expect(decodeStreamInfo(JSON.stringify(info))).toEqual(info))
  it('says what is wrong', () => expect(() => decodeStreamInfo(as(info, { width: '640' }))).toThrow('the stream.width is string'))
})
