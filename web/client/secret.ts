// The resume secret: what brings a client back to its place or seat.

/** Where the secret is kept: the part of Storage that is needed. */
export type SecretStore = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>

/** One client's secret, under a name of the server and pool. */
export class Secret {
  readonly #name: string
  readonly #store: SecretStore | null
  #value: string | null = null

  constructor(name: string, store: SecretStore | null) {
    this.#name = name
    this.#store = store
    this.#value = quietly(() => store?.getItem(name) ?? null)
  }

  get value(): string | null {
    return this.#value
  }

  keep(value: string): void {
    this.#value = value
    quietly(() => this.#store?.setItem(this.#name, value))
  }

  forget(): void {
    this.#value = null
    quietly(() => this.#store?.removeItem(this.#name))
  }
}

/** This tab's storage, so that each tab is one client; null where the browser denies it. */
export function tabStorage(): SecretStore | null {
  return quietly(() => globalThis.sessionStorage as SecretStore | undefined ?? null) ?? null
}

// Storage may be denied or full: then a reload is a new client, which is what
// such a browser asks for.
function quietly<T>(f: () => T): T | null {
  try {
    return f()
  } catch {
    return null
  }
}
