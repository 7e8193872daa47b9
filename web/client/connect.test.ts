import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { connect, type Client, type Options } from './connect.js'
import type { SecretStore } from './secret.js'
import { FakeSocket } from './testing/fake-socket.js'
import { at, ended, offered, queued, refused, seated, starting, watching, welcome } from './testing/says.js'

let sockets: FakeSocket[] = []
const last = (): FakeSocket => {
  const s = sockets.at(-1)
  if (!s) throw new Error('nobody has dialled')
  return s
}

function memory(): SecretStore & { values: Map<string, string> } {
  const values = new Map<string, string>()
  return {
    values,
    getItem: (k) => values.get(k) ?? null,
    setItem: (k, v) => void values.set(k, v),
    removeItem: (k) => void values.delete(k),
  }
}

function start(options: Partial<Options> = {}): Client {
  return connect({
    url: 'https://gate.example', pool: 'show room', storage: null, random: () => 0.5, onWarning: () => undefined,
    socket: (url, protocol) => {
      const s = new FakeSocket(url, protocol)
      sockets.push(s)
      return s
    },
    ...options,
  })
}

async function join(options: Partial<Options> = {}): Promise<Client> {
  const client = start(options)
  await open()
  last().say(welcome())
  return client
}

async function open(): Promise<void> {
  last().open()
  await vi.advanceTimersByTimeAsync(0)
}

beforeEach(() => {
  sockets = []
  vi.useFakeTimers({ now: Date.parse(at) })
})
afterEach(() => vi.useRealTimers())

describe('joining', () => {
  it('dials the pool and says join first', async () => {
    start({ intent: 'watch', app: 'yacht', watchWhileWaiting: true, identity: 'jwt' })
    expect(last().url).toBe('wss://gate.example/v1/pools/show%20room/play')
    expect(last().protocol).toBe('rendergate.v1')
    await open()
    expect(last().sent).toEqual([{ type: 'join', intent: 'watch', app: 'yacht', watch_while_waiting: true, identity: 'jwt' }])
  })

  it('gets a fresh identity for each connection', async () => {
    let n = 0
    await join({ identity: () => Promise.resolve(`jwt${++n}`) })
    last().drop()
    await vi.advanceTimersByTimeAsync(500)
    await open()
    expect(last().sent[0]).toMatchObject({ identity: 'jwt2' })
  })

  it('tells every state in order', async () => {
    const seen: string[] = []
    await join({ onState: (s) => seen.push(s.name) })
    for (const m of [queued(), offered(), starting(), seated(), ended()]) last().say(m)
    expect(seen).toEqual(['connecting', 'connecting', 'queued', 'offered', 'starting', 'seated', 'ended'])
  })

  it('is refused before any welcome', async () => {
    const client = start()
    await open()
    last().say(refused())
    expect(client.state).toMatchObject({ name: 'refused', code: 'queue_full', retryAfterS: 30 })
    last().drop(1000)
    expect(client.state.name).toBe('refused')
  })
})

describe('the secret', () => {
  it('brings back what a reload would lose', async () => {
    const storage = memory()
    const first = await join({ storage })
    last().say(queued())
    first.close()
    start({ storage })
    await open()
    expect(last().sent[0]).toMatchObject({ resume: 's3cret' })
  })

  it('outlasts an end that puts its player back in the queue', async () => {
    const client = await join()
    last().say(seated())
    last().say(ended({ reason: 'host_lost' }))
    last().say(queued({ position: 1 }))
    last().drop()
    await vi.advanceTimersByTimeAsync(500)
    await open()
    expect(last().sent[0]).toMatchObject({ resume: 's3cret' })
    expect(client.state).toMatchObject({ name: 'gone', before: { name: 'queued' } })
  })

  it('is not shared by pools', async () => {
    const storage = memory()
    await join({ storage })
    start({ storage, pool: 'other' })
    await open()
    expect(last().sent[0]).not.toHaveProperty('resume')
  })

  it('does without a storage that throws', async () => {
    const denied = () => { throw new Error('denied') }
    await join({ storage: { getItem: denied, setItem: denied, removeItem: denied } })
    last().say(queued())
    last().drop()
    await vi.advanceTimersByTimeAsync(500)
    await open()
    expect(last().sent[0]).toMatchObject({ resume: 's3cret' })
  })
})

describe('a lost connection', () => {
  it('keeps what stood, comes back with the secret and goes on', async () => {
    const client = await join()
    last().say(seated())
    last().drop()
    expect(client.state).toMatchObject({ name: 'gone', why: 'lost', attempt: 1, before: { name: 'seated' } })
    await vi.advanceTimersByTimeAsync(499)
    expect(sockets).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(sockets).toHaveLength(2)
    await open()
    expect(last().sent[0]).toMatchObject({ type: 'join', resume: 's3cret' })
    last().say(welcome({ resumed: true }))
    expect(client.state).toMatchObject({ name: 'seated', seat: { session: 's1' } })
  })

  it('says since when, and waits longer each time', async () => {
    const client = await join()
    last().say(queued())
    const delays: number[] = []
    for (let i = 0; i < 8; i++) {
      last().drop()
      const s = client.state
      if (s.name !== 'gone' || s.retryAt === null) throw new Error(`state is ${s.name}`)
      expect(s.since).toBe(Date.parse(at))
      delays.push(s.retryAt - Date.now())
      await vi.advanceTimersByTimeAsync(s.retryAt - Date.now())
    }
    expect(delays).toEqual([500, 1000, 2000, 4000, 8000, 15000, 15000, 15000])
  })

  it('starts small again once it was welcome', async () => {
    const client = await join()
    for (let i = 0; i < 2; i++) {
      last().say(queued())
      last().drop()
      expect(client.state).toMatchObject({ name: 'gone', attempt: 1 })
      await vi.advanceTimersByTimeAsync(500)
      await open()
      last().say(welcome({ resumed: true }))
    }
  })

  it('says when the place could not be kept', async () => {
    const onLost = vi.fn()
    const client = await join({ onLost })
    last().say(seated())
    last().drop()
    await vi.advanceTimersByTimeAsync(500)
    await open()
    last().say(welcome({ resumed: false, resume: 'other' }))
    expect(onLost).toHaveBeenCalledOnce()
    expect(client.state.name).toBe('connecting')
  })

  it('tells a refusal from what stood before', async () => {
    const client = await join()
    last().say(queued())
    last().drop()
    await vi.advanceTimersByTimeAsync(500)
    await open()
    last().say(refused())
    expect(client.state.name).toBe('refused')
  })

  it('gives up on a server that accepts and says nothing', async () => {
    const client = start()
    await open()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(client.state).toMatchObject({ name: 'gone', why: 'lost' })
    expect(sockets[0]?.closedWith).toBe(1000)
  })

  it('hears nothing from a socket that it has given up', async () => {
    const client = await join()
    const old = last()
    last().say(queued())
    last().drop()
    old.say(seated())
    expect(client.state.name).toBe('gone')
  })

  it.each([[4409, 'taken_over'], [4401, 'not_authenticated'], [4403, 'origin'], [4400, 'protocol']])(
    'does not come back by itself after %i', async (code, why) => {
      const client = await join()
      last().say(queued())
      last().drop(code)
      expect(client.state).toMatchObject({ name: 'gone', why, retryAt: null })
      await vi.advanceTimersByTimeAsync(3_600_000)
      expect(sockets).toHaveLength(1)
      client.reconnect()
      expect(sockets).toHaveLength(2)
    })

  it('waits long after 4429 and comes back soon after 4503', async () => {
    const client = await join()
    last().say(queued())
    last().drop(4429)
    expect(client.state).toMatchObject({ retryAt: Date.now() + 10_000 })
    await vi.advanceTimersByTimeAsync(10_000)
    await open()
    last().say(welcome({ resumed: true }))
    last().drop(4503)
    expect(client.state).toMatchObject({ why: 'going_away', retryAt: Date.now() + 250 })
  })

  it('is not dialled again once closed', async () => {
    const client = await join()
    last().say(queued())
    last().drop()
    client.close()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(sockets).toHaveLength(1)
  })
})

describe('what a client says', () => {
  const said = () => last().sent.slice(1)

  it('answers an offer, and nothing else', async () => {
    const client = await join()
    last().say(queued())
    expect(client.accept()).toBe(false)
    last().say(offered())
    expect(client.accept()).toBe(true)
    expect(client.decline()).toBe(true)
    expect(said()).toEqual([{ type: 'accept', offer: 'o1' }, { type: 'decline', offer: 'o1' }])
  })

  it('speaks of its own session', async () => {
    const client = await join()
    last().say(seated())
    client.sharing('closed')
    expect(client.state).toMatchObject({ seat: { sharing: 'closed' } })
    client.ticket()
    client.report({ fps: 30, rtt_ms: 5, bitrate_bps: 1e6, frames_dropped: 0 })
    expect(said()).toEqual([
      { type: 'sharing', session: 's1', mode: 'closed' },
      { type: 'ticket', session: 's1' },
      { type: 'report', fps: 30, rtt_ms: 5, bitrate_bps: 1e6, frames_dropped: 0 },
    ])
  })

  it('watches, stops, and asks to play', async () => {
    const client = await join({ intent: 'watch' })
    client.watch()
    last().say(watching())
    client.ticket()
    client.play()
    client.unwatch()
    expect(said()).toMatchObject([
      { type: 'watch' }, { type: 'ticket', session: 's9' },
      { type: 'join', intent: 'play', resume: 's3cret' }, { type: 'unwatch', session: 's9' },
    ])
    last().say(welcome({ resumed: true }))
    last().say(queued())
    expect(client.state).toMatchObject({ name: 'queued', view: { session: 's9' } })
  })

  it('leaves at once, also of its own memory', async () => {
    const storage = memory()
    const client = await join({ storage })
    last().say(seated())
    client.leave()
    expect(said()).toEqual([{ type: 'leave' }])
    expect(client.state).toMatchObject({ name: 'ended', reason: 'left', session: 's1' })
    expect(last().closedWith).toBe(1000)
    expect(storage.values.size).toBe(0)
  })

  it('plays again as somebody new', async () => {
    const client = await join()
    last().say(seated())
    last().say(ended())
    client.again()
    expect(client.state.name).toBe('connecting')
    await open()
    expect(last().sent[0]).not.toHaveProperty('resume')
    last().say(welcome())
    last().say(seated({ session: 's2' }))
    expect(client.state).toMatchObject({ seat: { session: 's2' } })
  })
})

describe('the rest', () => {
  it('goes by the server’s clock', async () => {
    vi.setSystemTime(Date.parse(at) - 3_600_000) // this clock is an hour slow
    const client = await join()
    last().say(offered())
    expect(client.state.name === 'offered' && client.state.expiresAt - client.now()).toBe(20_000)
  })

  it('warns of frames it does not understand, and goes on', async () => {
    const onWarning = vi.fn()
    const client = await join({ onWarning })
    for (const frame of ['{"type":"teleported"}', '{', new ArrayBuffer(1)]) last().sayRaw(frame)
    last().say({ type: 'error', code: 'bad_frame', message: 'no such offer' })
    last().say(queued())
    expect(onWarning).toHaveBeenCalledTimes(4)
    expect(client.state.name).toBe('queued')
  })

  it('passes notices and refused wishes on', async () => {
    const onNotice = vi.fn()
    const onRefused = vi.fn()
    const client = await join({ onNotice, onRefused })
    last().say(queued())
    last().say({ type: 'notice', code: 'paused', message: 'paused' })
    last().say(refused({ code: 'nothing_to_watch' }))
    expect(onNotice).toHaveBeenCalledOnce()
    expect(onRefused).toHaveBeenCalledOnce()
    last().say(refused({ code: 'removed' }))
    expect(onRefused).toHaveBeenCalledOnce()
    expect(client.state).toMatchObject({ name: 'refused', code: 'removed' })
  })

  it('tells those who subscribe later, until they stop', async () => {
    const client = await join()
    const f = vi.fn()
    const stop = client.subscribe(f)
    last().say(queued())
    stop()
    last().say(offered())
    expect(f).toHaveBeenCalledOnce()
  })
})
