import { decodeStreamInfo } from './decode.js'
import { jpeg, type Decoder, type DecoderKind } from './decoder.js'
import { watchProtocol, type StreamInfo } from './messages.js'
import type { View } from './state.js'

/** How a view does. `unsupported`: this page has no decoder for the stream. */
export type SpectatorStatus = 'idle' | 'opening' | 'live' | 'waiting' | 'unsupported'

/** Figures of the last second. */
export interface SpectatorStats {
  fps: number
  bitrateBps: number
  /** Since the view began. */
  framesShown: number
  framesDropped: number
}

export interface SpectatorOptions {
  canvas: HTMLCanvasElement
  /** Asks for a fresh `watching`: a ticket opens one connection only. Usually `() => client.ticket()`. */
  freshTicket: () => void
  onStatus?: (status: SpectatorStatus) => void
  onStats?: (stats: SpectatorStats) => void
  /** Asked in this order; JPEG frames come last, always. */
  decoders?: DecoderKind[]
  /** For tests. */
  socket?: (url: string, protocol: string) => WebSocket
}

/** Shows the stream of a view on a canvas, and keeps it connected. */
export class Spectator {
  readonly #o: SpectatorOptions
  #view: View | null = null
  #usedUrl = ''
  #socket: WebSocket | null = null
  #decoder: Decoder | null = null
  #retries = 0
  #bytes = 0
  #shown = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #ticker: ReturnType<typeof setInterval> | undefined

  constructor(options: SpectatorOptions) {
    this.#o = options
  }

  /**
   * Shows this view, or none. Call it with every state: the same session goes
   * on as it is, and a fresh ticket is used where the connection was lost.
   */
  show(view: View | null): void {
    const same = view !== null && view.session === this.#view?.session
    this.#view = view
    if (same && (this.#socket || view.url === this.#usedUrl)) return
    this.#hangUp()
    if (!same) this.#retries = 0
    if (view) this.#open(view)
    else this.#say('idle')
  }

  close(): void {
    this.show(null)
  }

  #open(view: View): void {
    clearTimeout(this.#timer)
    this.#usedUrl = view.url
    this.#say('opening')
    const url = new URL(view.url, globalThis.location.href)
    url.protocol = url.protocol.replace(/^http/, 'ws')
    const make = this.#o.socket ?? ((u: string, p: string) => new WebSocket(u, p))
    const socket = make(url.href, watchProtocol)
    socket.binaryType = 'arraybuffer'
    socket.onmessage = (e: MessageEvent<string | ArrayBuffer>) => this.#receive(e.data)
    socket.onclose = () => this.#lost()
    this.#socket = socket
    this.#ticker = setInterval(() => this.#measure(), 1000)
  }

  #receive(data: string | ArrayBuffer): void {
    if (typeof data === 'string') return this.#begin(data)
    this.#bytes += data.byteLength
    this.#retries = 0
    this.#decoder?.push(data)
  }

  #begin(frame: string): void {
    this.#decoder?.close()
    this.#decoder = null
    try {
      const info = decodeStreamInfo(frame)
      this.#decoder = this.#decoderFor(info)
    } catch (err) {
      console.warn(`rendergate: ${String(err)}`)
    }
    this.#say(this.#decoder ? 'live' : 'unsupported')
  }

  #decoderFor(info: StreamInfo): Decoder | null {
    const kinds = [...(this.#o.decoders ?? []), jpeg]
    return kinds.find((k) => k.supports(info))?.make(this.#o.canvas, info) ?? null
  }

  // The ticket is used up: a fresh one comes with the next `watching`.
  #lost(): void {
    this.#hangUp()
    this.#say('waiting')
    this.#ask()
  }

  #ask(): void {
    const delay = Math.min(10_000, 500 * 2 ** this.#retries) * (0.5 + Math.random())
    this.#retries += 1
    this.#timer = setTimeout(() => {
      this.#o.freshTicket()
      this.#ask()
    }, delay)
  }

  #measure(): void {
    const done = this.#decoder?.figures ?? { framesShown: 0, framesDropped: 0 }
    this.#o.onStats?.({ ...done, fps: done.framesShown - this.#shown, bitrateBps: this.#bytes * 8 })
    this.#shown = done.framesShown
    this.#bytes = 0
  }

  #hangUp(): void {
    clearTimeout(this.#timer)
    clearInterval(this.#ticker)
    const socket = this.#socket
    this.#socket = null
    this.#decoder?.close()
    this.#decoder = null
    this.#shown = this.#bytes = 0
    if (!socket) return
    socket.onmessage = socket.onclose = null
    socket.close(1000)
  }

  #say(status: SpectatorStatus): void {
    this.#o.onStatus?.(status)
  }
}
