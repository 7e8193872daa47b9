// One visit of the play page: the client library's state, made reactive.
import { connect, lobby, type Client, type Lobby, type Notice, type Refused, type State } from '../client/index.js'
import { left } from '../words/say.js'
import { t, words } from '../words/words.svelte.js'
import type { Wish } from './wish.js'

export interface Toast {
  id: number
  text: string
}

/** How long a toast stays, in ms. */
const toastTime = 9_000

/** Why there is nobody to ask for a seat. */
export type Closed = 'unreachable' | 'pool'

export class Visit {
  state = $state.raw<State>({ name: 'connecting' })
  toasts = $state.raw<Toast[]>([])
  closed = $state.raw<Closed | null>(null)
  /** What counts as the host, where that is not the whole machine. */
  note = $state('')
  readonly wish: Wish
  #client: Client | null = null
  #ids = 0
  #watchers = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(wish: Wish) {
    this.wish = wish
  }

  /** Joins at once: opening the page is asking for a seat. */
  async begin(): Promise<void> {
    this.closed = null
    if (this.wish.pool !== null) this.#join(this.wish.pool)
    try {
      const pools = await lobby(location.origin)
      const mine = pools.find((p) => p.pool === this.wish.pool) ?? (this.wish.pool === null ? pools[0] : undefined)
      this.#found(mine)
    } catch {
      this.#unreachable()
    }
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#client?.close()
    this.#client = null
  }

  get client(): Client | null {
    return this.#client
  }

  /** The service's time in ms. */
  now = (): number => this.#client?.now() ?? Date.now()

  dismiss(id: number): void {
    this.toasts = this.toasts.filter((toast) => toast.id !== id)
  }

  #found(pool: Lobby | undefined): void {
    this.note = pool?.note ?? ''
    if (this.#client) return
    if (pool) this.#join(pool.pool)
    else this.closed = 'pool'
  }

  #unreachable(): void {
    if (this.#client) return // the socket says so itself
    this.closed = 'unreachable'
    this.#timer = setTimeout(() => void this.begin(), 2_000 + Math.random() * 3_000)
  }

  #join(pool: string): void {
    this.#client ??= connect({
      url: location.origin,
      pool,
      intent: this.wish.intent,
      app: this.wish.app,
      watchWhileWaiting: true,
      onState: (s) => this.#changed(s),
      onNotice: (n) => this.#notice(n),
      onRefused: (r) => this.#toast(this.#refused(r)),
      onLost: () => this.#toast(t('gone.lost')),
    })
  }

  #changed(s: State): void {
    const wanted = this.wish.session
    // A session named in the address is asked for once the view is there or waited for.
    if (wanted !== undefined && this.state.name === 'connecting' && s.name !== 'connecting' && this.wish.intent === 'watch') {
      this.#client?.watch(wanted)
    }
    this.state = s
  }

  #refused(r: Refused): string {
    return words.of('refused', r.code) ?? t('refused.other', { message: r.message })
  }

  #notice(n: Notice): void {
    // The number stands in the bar; only somebody new is worth a word.
    const more = n.watchers === undefined || n.watchers > this.#watchers
    this.#watchers = n.watchers ?? this.#watchers
    if (n.code !== 'watched' || more) this.#toast(this.#noticed(n))
  }

  #noticed(n: Notice): string {
    const end = n.ends_at ? Date.parse(n.ends_at) : null
    const values = { time: end === null ? '' : left(words, end - this.now()), n: n.watchers ?? 1 }
    const s = this.state
    // Sooner than the session's own end: it is for being idle.
    const idle = end !== null && s.name === 'seated' && (s.seat.endsAt === null || end < s.seat.endsAt - 1000)
    return words.of('notice', idle ? 'ending_idle' : n.code, values) ?? n.message
  }

  #toast(text: string): void {
    const id = ++this.#ids
    this.toasts = [...this.toasts.filter((toast) => toast.text !== text).slice(-2), { id, text }]
    setTimeout(() => this.dismiss(id), toastTime)
  }
}
