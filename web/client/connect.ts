import { retryDelay, whyClosed } from './backoff.js'
import { decode, type Unusable } from './decode.js'
import {
  playProtocol, type ClientMessage, type ErrorMessage, type Intent, type Join, type Notice, type PlayerStats,
  type Refused, type ServerMessage, type Sharing, type Welcome,
} from './messages.js'
import { Secret, tabStorage, type SecretStore } from './secret.js'
import { after, holds, keeps, viewOf, type Gone, type GoneWhy, type Standing, type State } from './state.js'

/** The part of WebSocket that is used. */
export interface Socket {
  readonly readyState: number
  onopen: ((e: Event) => void) | null
  onmessage: ((e: MessageEvent) => void) | null
  onclose: ((e: CloseEvent) => void) | null
  send(data: string): void
  close(code?: number, reason?: string): void
}

export interface Options {
  /** The admission service: `https://gate.example.com`. */
  url: string | URL
  pool: string
  /** `play` unless said otherwise. */
  intent?: Intent
  /** Needed where the pool serves several. */
  app?: string | undefined
  /** Look on at a running session while in the queue. */
  watchWhileWaiting?: boolean
  /** A JWT of your own login, or a function that gets a fresh one for each connection. */
  identity?: string | (() => string | Promise<string>)
  /**
   * Where the resume secret is kept. sessionStorage unless said otherwise, so
   * that each tab is one client; localStorage makes one of all tabs, null
   * forgets it with the page.
   */
  storage?: SecretStore | null
  /** Called at each change, and once at the start. */
  onState?: (state: State) => void
  onNotice?: (notice: Notice) => void
  /** A wish was refused, but place, seat or view stay. */
  onRefused?: (refused: Refused) => void
  /** The server could not keep the place or seat, and this is a new one. */
  onLost?: () => void
  /** Frames that were not understood, by either side. console.warn unless said otherwise. */
  onWarning?: (message: string) => void
  /** For tests. */
  socket?: (url: string, protocol: string) => Socket
  random?: () => number
}

/** No welcome within this time after dialling, in ms, is no connection. */
const patience = 10_000

/** Connects at once and stays connected until closed, ended, refused or told not to come back. */
export function connect(options: Options): Client {
  return new Client(options)
}

/** One person's connection to a pool. Made by {@link connect}. */
export class Client {
  readonly #o: Options
  readonly #secret: Secret
  readonly #listeners = new Set<(state: State) => void>()
  readonly #stopWaking: () => void
  #standing: Standing = { name: 'connecting' }
  #gone: Gone | null = null
  #attempt = 0
  #socket: Socket | null = null
  #timer: ReturnType<typeof setTimeout> | undefined
  #welcomed = false
  #resuming = false
  #offset = 0
  #intent: Intent
  #meanwhile: boolean
  #closed = false

  constructor(options: Options) {
    this.#o = options
    this.#intent = options.intent ?? 'play'
    this.#meanwhile = options.watchWhileWaiting ?? false
    const storage = options.storage === undefined ? tabStorage() : options.storage
    this.#secret = new Secret(`rendergate ${new URL(options.url).host} ${options.pool}`, storage)
    if (options.onState) this.#listeners.add(options.onState)
    this.#stopWaking = onWake(() => this.#wake())
    this.#dial()
    this.#tell()
  }

  get state(): State {
    return this.#gone ?? this.#standing
  }

  /** The server's time in ms: deadlines are told in it, and this clock may be wrong. */
  now(): number {
    return Date.now() + this.#offset
  }

  /** Calls f at each change. Returns what stops it. */
  subscribe(f: (state: State) => void): () => void {
    this.#listeners.add(f)
    return () => this.#listeners.delete(f)
  }

  // All that follow return false if they cannot be sent in the present state.

  accept(): boolean {
    const s = this.state
    return s.name === 'offered' && this.#send({ type: 'accept', offer: s.offer })
  }

  decline(): boolean {
    const s = this.state
    return s.name === 'offered' && this.#send({ type: 'decline', offer: s.offer })
  }

  /** Looks on at a session, or at any if none is named. */
  watch(session?: string): boolean {
    this.#meanwhile = true
    return this.#send({ type: 'watch', session })
  }

  unwatch(): boolean {
    this.#meanwhile = false
    return this.#send({ type: 'unwatch', session: viewOf(this.#standing)?.session })
  }

  /** From watching to the queue; the view goes on meanwhile. */
  play(): boolean {
    this.#intent = 'play'
    return this.#welcomed && this.#send(this.#join())
  }

  /** Says who may look on at the own session. */
  sharing(mode: Sharing): boolean {
    const s = this.state
    if (s.name !== 'seated' || !this.#send({ type: 'sharing', session: s.seat.session, mode })) return false
    this.#become({ name: 'seated', seat: { ...s.seat, sharing: mode } })
    return true
  }

  /** Asks for a fresh `seated` or `watching`, when the ticket was used up and the connection is to be made again. */
  ticket(): boolean {
    const s = this.#standing
    const session = s.name === 'seated' ? s.seat.session : viewOf(s)?.session
    return session !== undefined && this.#send({ type: 'ticket', session })
  }

  /** Tells the server what the player sees. Every few seconds is enough. */
  report(stats: PlayerStats): boolean {
    return this.state.name === 'seated' && this.#send({ type: 'report', ...stats })
  }

  /** Gives up place, seat and view at once. */
  leave(): void {
    this.#send({ type: 'leave' })
    const s = this.#standing
    const session = s.name === 'seated' ? s.seat.session : (viewOf(s)?.session ?? '')
    this.#hangUp()
    this.#secret.forget()
    this.#become({ name: 'ended', session, role: s.name === 'watching' ? 'spectator' : 'player', reason: 'left' })
  }

  /** Starts anew: after an end, a refusal, or to ask for something else. */
  again(intent: Intent = this.#intent): void {
    this.#intent = intent
    this.#hangUp()
    this.#secret.forget()
    this.#closed = false
    this.#attempt = 0
    this.#dial()
    this.#become({ name: 'connecting' })
  }

  /** While gone: tries now. After a take-over this takes the place back. */
  reconnect(): void {
    if (!this.#gone || this.#socket) return
    clearTimeout(this.#timer)
    this.#dial()
  }

  // The network is back, or somebody looks: but those who were sent away stay away.
  #wake(): void {
    if (this.#gone?.why === 'lost' || this.#gone?.why === 'going_away') this.reconnect()
  }

  /** Closes the connection. Place and seat are kept for their grace. */
  close(): void {
    this.#closed = true
    this.#stopWaking()
    this.#hangUp()
    this.#listeners.clear()
  }

  #dial(): void {
    const url = new URL(`/v1/pools/${encodeURIComponent(this.#o.pool)}/play`, this.#o.url)
    url.protocol = url.protocol.replace(/^http/, 'ws')
    const make = this.#o.socket ?? ((u: string, p: string) => new WebSocket(u, p))
    const socket = make(url.href, playProtocol)
    this.#socket = socket
    this.#welcomed = false
    this.#timer = setTimeout(() => this.#lost(socket, 'lost'), patience)
    socket.onopen = () => void this.#greet(socket)
    socket.onmessage = (e) => {
      if (socket === this.#socket) this.#receive(e.data)
    }
    socket.onclose = (e) => this.#lost(socket, whyClosed(e.code))
  }

  async #greet(socket: Socket): Promise<void> {
    const { identity } = this.#o
    try {
      const token = typeof identity === 'function' ? await identity() : identity
      if (socket === this.#socket) this.#send(this.#join(token))
    } catch (err) {
      this.#warn(`no identity token: ${String(err)}`)
      this.#lost(socket, 'lost')
    }
  }

  #join(identity?: string): Join {
    const resume = this.#secret.value ?? undefined
    this.#resuming = resume !== undefined
    return {
      type: 'join', intent: this.#intent, app: this.#o.app, resume, identity,
      watch_while_waiting: this.#meanwhile,
    }
  }

  #receive(data: unknown): void {
    const m: ServerMessage | Unusable = typeof data === 'string'
      ? decode(data)
      : { type: 'unusable', kind: 'malformed', why: 'a binary frame' }
    switch (m.type) {
      case 'unusable': return this.#warn(`ignored a frame: ${m.why}`)
      case 'error': return this.#notUnderstood(m)
      case 'welcome': return this.#welcome(m)
      case 'refused': return this.#refused(m)
      case 'notice':
        this.#advance(m)
        this.#o.onNotice?.(m)
        return
      case 'queued':
      case 'offered':
      case 'starting':
      case 'seated':
      case 'watching':
      case 'ended':
        return this.#advance(m)
    }
  }

  #welcome(m: Welcome): void {
    clearTimeout(this.#timer)
    const first = this.#attempt === 0
    const lost = this.#resuming && !m.resumed && this.#gone !== null
    this.#offset = Date.parse(m.server_time) - Date.now()
    this.#welcomed = true
    this.#attempt = 0
    this.#gone = null
    this.#secret.keep(m.resume)
    if (!m.resumed && !(first && holds(this.#standing))) this.#standing = { name: 'connecting' }
    this.#tell()
    if (lost) this.#o.onLost?.()
  }

  #refused(m: Refused): void {
    clearTimeout(this.#timer)
    if (!this.#welcomed) {
      this.#gone = null
      this.#standing = { name: 'connecting' }
    }
    if (keeps(this.#standing, m.code)) this.#o.onRefused?.(m)
    else this.#advance(m)
  }

  #notUnderstood(m: ErrorMessage): void {
    this.#warn(`the server did not understand a frame: ${m.code}: ${m.message}`)
  }

  #advance(m: ServerMessage): void {
    const before = this.#standing
    const next = after(before, m)
    if (next !== before || this.#gone) this.#become(next)
  }

  #become(standing: Standing): void {
    this.#standing = standing
    this.#gone = null
    this.#tell()
  }

  #lost(socket: Socket, why: GoneWhy): void {
    if (socket !== this.#socket) return
    this.#hangUp()
    if (!holds(this.#standing) && this.#standing.name !== 'connecting') return // nothing is lost with it
    this.#attempt += 1
    const now = Date.now()
    const delay = retryDelay(why, this.#attempt, this.#o.random ?? Math.random)
    this.#gone = {
      name: 'gone', why, since: this.#gone?.since ?? now, attempt: this.#attempt, before: this.#standing,
      retryAt: delay === null ? null : now + delay,
    }
    if (delay !== null) this.#timer = setTimeout(() => this.#dial(), delay)
    this.#tell()
  }

  #hangUp(): void {
    clearTimeout(this.#timer)
    const socket = this.#socket
    this.#socket = null
    if (!socket) return
    socket.onopen = socket.onmessage = socket.onclose = null
    socket.close(1000)
  }

  #send(m: ClientMessage): boolean {
    if (this.#socket?.readyState !== 1) return false
    this.#socket.send(JSON.stringify(m))
    return true
  }

  #tell(): void {
    if (this.#closed) return
    for (const f of this.#listeners) f(this.state)
  }

  #warn(message: string): void {
    const warn = this.#o.onWarning ?? ((text: string) => console.warn(`rendergate: ${text}`))
    warn(message)
  }
}

/** Calls f when the network is back or the page is looked at again. Returns what stops it. */
function onWake(f: () => void): () => void {
  if (typeof document === 'undefined') return () => undefined
  const shown = () => {
    if (document.visibilityState === 'visible') f()
  }
  addEventListener('online', f)
  document.addEventListener('visibilitychange', shown)
  return () => {
    removeEventListener('online', f)
    document.removeEventListener('visibilitychange', shown)
  }
}
