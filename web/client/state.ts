// Where a client stands, as plain values, and how a message changes it. No
// socket, no clock and no storage here: see connect.ts.
import type { Block, Intent, Queued, ServerMessage, Sharing, Wait, Word, EndReason } from './messages.js'

/** A view of somebody's session. */
export interface View {
  session: string
  /** Of the watch socket, with the ticket in it. */
  url: string
  mime: string
  bitrateBps: number
}

/** A place in the queue. */
export interface Place {
  entry: string
  intent: Intent
  /** 1 is next. */
  position: number
  length: number
  class: string
  wait: Wait | null
  blockedBy: Block | null
  /** Why the position got worse; stays until it gets better. */
  moved: string | null
}

/** A running session and its seat. */
export interface Seat {
  session: string
  host: string
  /** Of the session's page, with a fresh ticket in it. */
  url: string
  /** Server's time in ms; null means no limit. */
  endsAt: number | null
  sharing: Sharing
  watchers: number
}

export type Standing =
  | { name: 'connecting' }
  | { name: 'queued'; place: Place; view: View | null }
  | { name: 'offered'; offer: string; session: string; expiresAt: number; view: View | null }
  | { name: 'starting'; session: string; host: string; expectedS: number; view: View | null }
  | { name: 'seated'; seat: Seat }
  | { name: 'watching'; view: View }
  | { name: 'ended'; session: string; role: string; reason: Word<EndReason> }
  | { name: 'refused'; code: string; message: string; blockedBy: Block | null; retryAfterS: number | null }

/** Why there is no connection. The first two are tried again, the others are not. */
export type GoneWhy = 'lost' | 'going_away' | 'too_many' | 'taken_over' | 'not_authenticated' | 'origin' | 'protocol'

/** No connection: `before` is what stood, and what the server still holds for its grace. */
export interface Gone {
  name: 'gone'
  why: GoneWhy
  /** Local times in ms. */
  since: number
  /** When it is tried again; null: not by itself. */
  retryAt: number | null
  attempt: number
  before: Standing
}

export type State = Standing | Gone

/** The session that is watched meanwhile, if any. */
export function viewOf(s: Standing): View | null {
  return 'view' in s ? s.view : null
}

/** Whether the server holds a place, a seat or a view for this client. */
export function holds(s: Standing): boolean {
  return s.name !== 'connecting' && s.name !== 'ended' && s.name !== 'refused'
}

/** The standing after a message. Messages that tell of something else leave it as it is. */
export function after(s: Standing, m: ServerMessage): Standing {
  switch (m.type) {
    case 'queued':
      return { name: 'queued', place: placeOf(s, m), view: viewOf(s) }
    case 'offered':
      return { name: 'offered', offer: m.offer, session: m.session, expiresAt: Date.parse(m.expires_at), view: viewOf(s) }
    case 'starting':
      return { name: 'starting', session: m.session, host: m.host, expectedS: m.expected_s, view: viewOf(s) }
    case 'seated':
      return {
        name: 'seated',
        seat: {
          session: m.session, host: m.host, url: withTicket(m.url, m.ticket), sharing: m.sharing, watchers: m.watchers,
          endsAt: m.ends_at === null ? null : Date.parse(m.ends_at),
        },
      }
    case 'watching':
      return withView(s, { session: m.session, url: withTicket(m.url, m.ticket), mime: m.mime, bitrateBps: m.bitrate_bps })
    case 'ended':
      return m.role === 'spectator' ? withoutView(s, m) : { name: 'ended', session: m.session, role: m.role, reason: m.reason }
    case 'refused':
      return keeps(s, m.code) ? s : {
        name: 'refused', code: m.code, message: m.message, blockedBy: m.blocked_by ?? null, retryAfterS: m.retry_after_s || null,
      }
    case 'notice':
      return s.name === 'seated' ? { name: 'seated', seat: { ...s.seat, watchers: m.watchers ?? s.seat.watchers } } : s
    case 'welcome':
    case 'error':
      return s
  }
}

/** These say that a place is gone; any other refusal is of a wish, and who holds something keeps it. */
const placeGone = new Set(['removed', 'grace', 'lapsed', 'declined'])

/** Whether what one holds outlasts a refusal. */
export function keeps(s: Standing, code: string): boolean {
  return holds(s) && !(placeGone.has(code) && (s.name === 'queued' || s.name === 'offered'))
}

function placeOf(s: Standing, m: Queued): Place {
  const old = s.name === 'queued' && s.place.entry === m.entry ? s.place : null
  const better = old !== null && m.position < old.position
  return {
    entry: m.entry, intent: m.intent, position: m.position, length: m.length, class: m.class, wait: m.wait,
    blockedBy: m.blocked_by, moved: m.moved ?? (better ? null : (old?.moved ?? null)),
  }
}

function withView(s: Standing, view: View): Standing {
  switch (s.name) {
    case 'queued':
      // A place to watch is used up by the view; a place to play is kept.
      return s.place.intent === 'play' ? { ...s, view } : { name: 'watching', view }
    case 'offered':
    case 'starting':
      return { ...s, view }
    case 'seated':
      return s
    case 'connecting':
    case 'watching':
    case 'ended':
    case 'refused':
      return { name: 'watching', view }
  }
}

function withoutView(s: Standing, m: { session: string; role: string; reason: string }): Standing {
  switch (s.name) {
    case 'queued':
    case 'offered':
    case 'starting':
      return s.view?.session === m.session ? { ...s, view: null } : s
    case 'watching':
      return s.view.session === m.session ? { name: 'ended', session: m.session, role: m.role, reason: m.reason } : s
    case 'connecting':
    case 'seated':
    case 'ended':
    case 'refused':
      return s
  }
}

/** The address with the ticket in its query, whether or not the server put it there. */
function withTicket(url: string, ticket: string): string {
  if (/[?&]ticket=/.test(url)) return url
  return `${url}${url.includes('?') ? '&' : '?'}ticket=${encodeURIComponent(ticket)}`
}
