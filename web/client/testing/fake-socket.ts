// A WebSocket whose other end is the test.
import type { ClientMessage, ServerMessage } from '../messages.js'
import type { Socket } from '../connect.js'

export class FakeSocket implements Socket {
  readyState = 0
  onopen: ((e: Event) => void) | null = null
  onmessage: ((e: MessageEvent) => void) | null = null
  onclose: ((e: CloseEvent) => void) | null = null
  readonly sent: ClientMessage[] = []
  closedWith: number | undefined

  readonly url: string
  readonly protocol: string

  constructor(url: string, protocol: string) {
    this.url = url
    this.protocol = protocol
  }

  send(data: string): void {
    this.sent.push(JSON.parse(data) as ClientMessage)
  }

  close(code?: number): void {
    this.readyState = 3
    this.closedWith = code
  }

  /** The server accepts the connection. */
  open(): void {
    this.readyState = 1
    this.onopen?.({} as Event)
  }

  /** The server says something. */
  say(m: ServerMessage): void {
    this.sayRaw(JSON.stringify(m))
  }

  sayRaw(data: unknown): void {
    this.onmessage?.({ data } as MessageEvent)
  }

  /** The server, or the network, ends the connection. */
  drop(code = 1006): void {
    this.readyState = 3
    this.onclose?.({ code } as CloseEvent)
  }
}
