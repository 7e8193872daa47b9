// What an operator has before them: who they are, the pool, and what was done.
import { t } from '../words/words.svelte.js'
import { calls, picture, Problem, type Picture } from './calls.js'

/** How often the picture is taken anew, in ms. */
const every = 2_000

export class Desk {
  /** Null: not logged in. Undefined: not known yet. */
  name = $state<string | null>()
  pools = $state.raw<string[]>([])
  pool = $state('')
  picture = $state.raw<Picture | null>(null)
  /** When the picture was taken, in local ms; since when it is stale, or null. */
  staleSince = $state<number | null>(null)
  /** What was done, or why not. */
  word = $state('')
  #taken = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  async begin(): Promise<void> {
    try {
      this.name = (await calls.me()).name
      await this.#open()
    } catch (err) {
      this.#failed(err)
      if (this.name === undefined) this.#later(() => this.begin())
    }
  }

  end(): void {
    clearTimeout(this.#timer)
  }

  /** False: name or password is wrong. Throws if the service cannot say. */
  async login(name: string, password: string): Promise<boolean> {
    try {
      this.name = (await calls.login(name, password)).name
    } catch (err) {
      if (err instanceof Problem && err.status === 401) return false
      throw err
    }
    await this.#open()
    return true
  }

  async logout(): Promise<void> {
    await calls.logout().catch(() => null)
    this.#out()
  }

  choose(pool: string): void {
    this.pool = pool
    this.picture = null
    void this.#look()
  }

  /** Does something, tells how it went, and looks again. */
  async act(f: () => Promise<unknown>): Promise<void> {
    try {
      await f()
      this.word = t('admin.done')
    } catch (err) {
      this.word = t('admin.failed', { detail: err instanceof Error ? err.message : String(err) })
    }
    await this.#look()
  }

  async #open(): Promise<void> {
    this.pools = (await calls.pools()).map((p) => p.name)
    this.pool ||= this.pools[0] ?? ''
    await this.#look()
  }

  async #look(): Promise<void> {
    clearTimeout(this.#timer)
    const { pool } = this
    try {
      const seen = document.hidden && this.picture ? this.picture : await picture(pool)
      if (pool !== this.pool) return // another was chosen meanwhile
      this.picture = seen
      this.#taken = Date.now()
      this.staleSince = null
    } catch (err) {
      this.#failed(err)
    }
    if (this.name) this.#later(() => this.#look())
  }

  #later(f: () => Promise<void>): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void f(), every)
  }

  #failed(err: unknown): void {
    if (err instanceof Problem && err.status === 401) this.#out()
    else this.staleSince = this.#taken || Date.now()
  }

  #out(): void {
    clearTimeout(this.#timer)
    this.name = null
    this.picture = null
    this.staleSince = null
    this.pool = ''
  }
}
