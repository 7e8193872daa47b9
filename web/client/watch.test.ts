import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Decoder, DecoderKind } from './decoder.js'
import type { View } from './state.js'
import { FakeSocket } from './testing/fake-socket.js'
import { Spectator, type SpectatorStatus } from './watch.js'

const info = { mime: 'video/test', codec: 't', width: 2, height: 2, rate: 30, audio: false }
const view = (changes: Partial<View> = {}): View => ({
  session: 's1', url: 'https://gate.example/v1/watch/s1?ticket=a', mime: 'video/test', bitrateBps: 8e6, ...changes,
})

function setUp() {
  const sockets: FakeSocket[] = []
  const statuses: SpectatorStatus[] = []
  const chunks: ArrayBuffer[] = []
  const freshTicket = vi.fn()
  const onStats = vi.fn()
  const decoder: Decoder = { figures: { framesShown: 0, framesDropped: 0 }, push: (c) => void chunks.push(c), close: vi.fn() }
  const kind: DecoderKind = { supports: (i) => i.mime === 'video/test', make: () => decoder }
  const spectator = new Spectator({
    canvas: {} as HTMLCanvasElement, freshTicket, onStats, decoders: [kind],
    onStatus: (s) => statuses.push(s),
    socket: (url, protocol) => {
      const s = new FakeSocket(url, protocol)
      sockets.push(s)
      return s as unknown as WebSocket
    },
  })
  return { sockets, statuses, chunks, freshTicket, onStats, decoder, spectator }
}

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('location', { href: 'https://gate.example/' })
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('Spectator', () => {
  it('opens the watch socket and decodes its chunks', () => {
    const t = setUp()
    t.spectator.show(view())
    expect(t.sockets[0]?.url).toBe('wss://gate.example/v1/watch/s1?ticket=a')
    expect(t.sockets[0]?.protocol).toBe('rendergate.watch.v1')
    t.sockets[0]?.sayRaw(JSON.stringify(info))
    t.sockets[0]?.sayRaw(new ArrayBuffer(100))
    expect(t.chunks).toHaveLength(1)
    expect(t.statuses).toEqual(['opening', 'live'])
    vi.advanceTimersByTime(1000)
    expect(t.onStats).toHaveBeenCalledWith({ fps: 0, bitrateBps: 800, framesShown: 0, framesDropped: 0 })
  })

  it('takes an address without a server as one of this page', () => {
    const t = setUp()
    t.spectator.show(view({ url: '/v1/watch/s1?ticket=a' }))
    expect(t.sockets[0]?.url).toBe('wss://gate.example/v1/watch/s1?ticket=a')
  })

  it('stays connected when a new ticket comes unasked', () => {
    const t = setUp()
    t.spectator.show(view())
    t.spectator.show(view({ url: 'https://gate.example/v1/watch/s1?ticket=b' }))
    expect(t.sockets).toHaveLength(1)
  })

  it('asks for a ticket when cut off, and never uses one twice', () => {
    const t = setUp()
    t.spectator.show(view())
    t.sockets[0]?.drop()
    t.spectator.show(view()) // a state change with the old ticket in it
    expect(t.sockets).toHaveLength(1)
    vi.advanceTimersByTime(750)
    expect(t.freshTicket).toHaveBeenCalledOnce()
    t.spectator.show(view({ url: 'https://gate.example/v1/watch/s1?ticket=b' }))
    expect(t.sockets).toHaveLength(2)
    expect(t.statuses).toEqual(['opening', 'waiting', 'opening'])
  })

  it('asks again, less and less often, while no ticket comes', () => {
    const t = setUp()
    t.spectator.show(view())
    t.sockets[0]?.drop()
    vi.advanceTimersByTime(60_000)
    const asked = t.freshTicket.mock.calls.length
    expect(asked).toBeGreaterThanOrEqual(6)
    expect(asked).toBeLessThanOrEqual(15)
  })

  it('changes to another session, and stops', () => {
    const t = setUp()
    t.spectator.show(view())
    t.spectator.show(view({ session: 's2', url: 'https://gate.example/v1/watch/s2?ticket=a' }))
    expect(t.sockets[0]?.closedWith).toBe(1000)
    expect(t.sockets).toHaveLength(2)
    t.spectator.close()
    expect(t.sockets[1]?.closedWith).toBe(1000)
    expect(t.statuses.at(-1)).toBe('idle')
  })

  it('says so when it cannot decode, and ignores what is no description', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    const t = setUp()
    t.spectator.show(view())
    t.sockets[0]?.sayRaw(JSON.stringify({ ...info, mime: 'video/other' }))
    expect(t.statuses.at(-1)).toBe('unsupported')
    t.sockets[0]?.sayRaw('{')
    expect(warn).toHaveBeenCalledOnce()
  })
})
