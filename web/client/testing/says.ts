// What a server says, with values that do not matter filled in.
import type { Ended, Offered, Queued, Refused, Seated, Starting, Watching, Welcome } from '../messages.js'

export const at = '2026-11-21T12:00:00Z'

export const welcome = (m: Partial<Welcome> = {}): Welcome => ({
  type: 'welcome', client: 'c1', resume: 's3cret', resumed: false, server_time: at, ...m,
})
export const queued = (m: Partial<Queued> = {}): Queued => ({
  type: 'queued', entry: 'e1', intent: 'play', position: 3, length: 7, class: 'normal', wait: null, blocked_by: null, ...m,
})
export const offered = (m: Partial<Offered> = {}): Offered => ({
  type: 'offered', offer: 'o1', session: 's1', expires_at: '2026-11-21T12:00:20Z', ...m,
})
export const starting = (m: Partial<Starting> = {}): Starting => ({
  type: 'starting', session: 's1', host: 'h1', expected_s: 4, ...m,
})
export const seated = (m: Partial<Seated> = {}): Seated => ({
  type: 'seated', session: 's1', host: 'h1', url: 'http://h1/s/s1/?ticket=t1', ticket: 't1',
  expires_at: '2026-11-21T12:01:00Z', ends_at: '2026-11-21T12:30:00Z', sharing: 'open', watchers: 0, ...m,
})
export const watching = (m: Partial<Watching> = {}): Watching => ({
  type: 'watching', session: 's9', url: '/v1/watch/s9', ticket: 't9', mime: 'image/jpeg', bitrate_bps: 8e6, ...m,
})
export const ended = (m: Partial<Ended> = {}): Ended => ({ type: 'ended', session: 's1', role: 'player', reason: 'length', ...m })
export const refused = (m: Partial<Refused> = {}): Refused => ({
  type: 'refused', code: 'queue_full', message: '10 wait already', blocked_by: null, retry_after_s: 30, ...m,
})
