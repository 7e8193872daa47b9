// What the mock says in each pool: the pool's name chooses the scene, so that
// every state of the play page can be looked at.
import type { Block, ClientMessage, Queued, ServerMessage, Watching } from '../client/messages.ts'

/** The other end of one browser, as a scene sees it. */
export interface Stage {
  say(m: ServerMessage): void
  close(code: number): void
  /** Cuts the line without a word. */
  cut(): void
  after(ms: number, f: () => void): void
  /** A time in ms from now, as messages have it. */
  time(ms: number): string
  /** The watch socket of the mock. */
  watchUrl: string
}

export interface Scene {
  /** After the welcome. */
  begin(s: Stage): void
  /** What else the page says. */
  hear?(s: Stage, m: ClientMessage): void
}

const cpu: Block = { resource: 'cpu', host: 'render-1', projected: 0.91, limit: 0.85 }

const queued = (changes: Partial<Queued> = {}): Queued => ({
  type: 'queued', entry: 'e1', intent: 'play', position: 3, length: 7, class: 'normal',
  wait: { p50_s: 150, p90_s: 400 }, blocked_by: cpu, ...changes,
})
const watching = (s: Stage): Watching => ({
  type: 'watching', session: 's9', url: s.watchUrl, ticket: 'mock', mime: 'image/jpeg', bitrate_bps: 8e6,
})
const seated = (s: Stage): ServerMessage => ({
  type: 'seated', session: 's1', host: 'render-1', url: '/s/s1/', ticket: 'mock', expires_at: s.time(60_000),
  ends_at: s.time(29 * 60_000 + 41_000), sharing: 'open', watchers: 2,
})
const offered = (s: Stage, ms = 20_000): ServerMessage => ({ type: 'offered', offer: 'o1', session: 's1', expires_at: s.time(ms) })
const starting: ServerMessage = { type: 'starting', session: 's1', host: 'render-1', expected_s: 4 }

/** Says these at once. */
const saying = (...messages: ((s: Stage) => ServerMessage)[]): Scene => ({ begin: (s) => messages.forEach((m) => s.say(m(s))) })

/** From the queue to the seat and out again: what `npm run dev` shows first. */
const life: Scene = {
  begin(s) {
    s.say(queued())
    s.say(watching(s))
    s.after(4000, () => s.say(queued({ position: 2, length: 6 })))
    s.after(8000, () => s.say(queued({ position: 1, length: 5, wait: { p50_s: 8, p90_s: 30 } })))
    s.after(12_000, () => s.say(offered(s)))
  },
  hear(s, m) {
    if (m.type === 'accept') {
      s.say(starting)
      s.after(3000, () => s.say(seated(s)))
    }
    if (m.type === 'decline') s.say(queued({ position: 2, moved: 'declined' }))
    if (m.type === 'unwatch') s.say({ type: 'ended', session: 's9', role: 'spectator', reason: 'left' })
    if (m.type === 'watch' || m.type === 'ticket') s.say(watching(s))
  },
}

export const scenes: Record<string, Scene> = {
  demo: life,
  connecting: { begin: () => undefined },
  queued: saying(() => queued({ wait: { p50_s: 150, p90_s: 400 } })),
  next: saying(() => queued({ position: 1, length: 1, wait: null, blocked_by: { resource: 'seats', host: 'render-1', projected: 3, limit: 2 } })),
  moved: saying(
    () => queued({ position: 1287, length: 5321, class: 'vip' }),
    () => queued({
      position: 1288, length: 5321, class: 'vip', moved: 'promoted', wait: { p50_s: 2500, p90_s: 5000 },
      blocked_by: { resource: 'uplink_pool', host: '', projected: 248e6, limit: 240e6 },
    }),
  ),
  meanwhile: { begin: (s) => { s.say(queued()); s.say(watching(s)) }, hear: (s, m) => life.hear?.(s, m) },
  offered: saying(() => queued(), (s) => offered(s, 18_000)),
  starting: saying(() => starting),
  seated: saying((s) => seated(s)),
  ending: saying((s) => seated(s), (s) => ({ type: 'notice', code: 'ending_soon', message: 'ends soon', ends_at: s.time(55_000) })),
  cutoff: { begin: (s) => { s.say(seated(s)); s.after(300, () => s.cut()) } },
  watching: saying((s) => watching(s)),
  towatch: saying(() => queued({ intent: 'watch', position: 2, length: 4, blocked_by: { resource: 'uplink_host', host: 'render-1', projected: 108e6, limit: 100e6 } })),
  ended: saying((s) => seated(s), () => ({ type: 'ended', session: 's1', role: 'player', reason: 'length' })),
  refused: saying(() => ({ type: 'refused', code: 'queue_full', message: '10000 wait already', blocked_by: cpu, retry_after_s: 45 })),
  gone: { begin: (s) => { s.say(queued()); s.after(300, () => s.cut()) } },
  restart: { begin: (s) => { s.say(queued()); s.after(300, () => s.close(4503)) } },
  crowded: { begin: (s) => { s.say(queued()); s.after(300, () => s.close(4429)) } },
  elsewhere: { begin: (s) => { s.say(seated(s)); s.after(300, () => s.close(4409)) } },
  denied: { begin: (s) => s.close(4401) },
}

/** Scenes whose server is away once it has cut the line. */
export const staysAway = new Set(['gone', 'cutoff', 'restart'])
