import type { Intent } from '../client/index.js'

/** What the page's address asks for. */
export interface Wish {
  intent: Intent
  /** Null: the first that the service has. */
  pool: string | null
  app: string | undefined
  /** The session to watch. */
  session: string | undefined
}

/** `?watch` or `?watch=SESSION` comes to watch; `?pool=` and `?app=` choose. */
export function wishOf(query: string): Wish {
  const q = new URLSearchParams(query)
  return {
    intent: q.has('watch') ? 'watch' : 'play',
    pool: q.get('pool') || null,
    app: q.get('app') || undefined,
    session: q.get('watch') || undefined,
  }
}
