// The operator's calls under /v1, by the session cookie. Units are in the names.
import type { Block, Wait } from '../client/index.js'

export interface Pool {
  name: string
  seats: { used: number; offered: number; calibrated: number }
  spectators: number
  queue: { length: number; waiting?: number; watch?: number }
  uplink: { used_bps: number; budget_bps: number }
  leader: string
  paused: boolean
}
export interface Host {
  host: string
  version: string
  connected: boolean
  since: string
  draining: boolean
  sample_age_s: number | null
  cores: number
  share?: string
  gpus: { name: string }[]
  sessions: string[]
}
export interface Verdict {
  resource: string
  /** Index of the GPU; -1 where there is but one. */
  device: number
  /** Null while unknown. */
  measured: number | null
  reserved: number
  /**
   * Of CPU, GPU and encoder: what shows and does not show yet, what sessions there usually take, what is kept free
   * above that, and what one more is expected to take. projected = new + max(now, usual + margin).
   */
  now: number
  usual: number
  margin: number
  new: number
  projected: number
  limit: number
  verdict: string
}
export interface Explanation {
  items: { host: string; admits: boolean; resources: Verdict[] }[]
  blocked_by: Block | null
}
export interface Session {
  id: string
  app: string
  host: string
  phase: string
  since: string
  ends_at: string | null
  watchers: number
  report: { fps: number; rtt_ms: number } | null
}
export interface Entry {
  id: string
  class: string
  intent: string
  since: string
  connected: boolean
  /** 1 is next; 0 while an offer is out. */
  position: number
  offer?: string
  expires_at: string | null
  wait: Wait | null
}
interface List<T> {
  items: T[]
  next: string | null
}

/** A call that was not done, with the service's own word on it. */
export class Problem extends Error {
  override name = 'Problem'
  readonly status: number

  constructor(status: number, detail: string) {
    super(detail)
    this.status = status
  }
}

/** How many sessions and entries are shown. */
export const shown = 50

/** All that the page shows of a pool. */
export interface Picture {
  pool: Pool
  hosts: Host[]
  explanation: Explanation
  sessions: Session[]
  queue: Entry[]
}

export async function picture(pool: string): Promise<Picture> {
  const at = `/v1/pools/${encodeURIComponent(pool)}`
  const [summary, hosts, explanation, sessions, queue] = await Promise.all([
    call<Pool>('GET', at),
    call<List<Host>>('GET', `${at}/hosts`),
    call<Explanation>('GET', `${at}/explain`),
    call<List<Session>>('GET', `${at}/sessions?limit=${shown}`),
    call<List<Entry>>('GET', `${at}/queue?limit=${shown}`),
  ])
  return { pool: summary, hosts: hosts.items, explanation, sessions: sessions.items, queue: queue.items }
}

export const calls = {
  me: () => call<{ name: string }>('GET', '/v1/me'),
  login: (name: string, password: string) => call<{ name: string }>('POST', '/v1/login', { name, password }),
  logout: () => call<null>('POST', '/v1/logout'),
  pools: async () => (await call<List<Pool>>('GET', '/v1/pools')).items,
  pause: (pool: string) => call('POST', `/v1/pools/${encodeURIComponent(pool)}/pause`),
  resume: (pool: string) => call('POST', `/v1/pools/${encodeURIComponent(pool)}/resume`),
  drain: (host: string) => call('POST', `/v1/hosts/${encodeURIComponent(host)}/drain`),
  undrain: (host: string) => call('POST', `/v1/hosts/${encodeURIComponent(host)}/undrain`),
  end: (session: string) => call('DELETE', `/v1/sessions/${encodeURIComponent(session)}`),
  remove: (entry: string) => call('DELETE', `/v1/entries/${encodeURIComponent(entry)}`),
  promote: (entry: string) => call('POST', `/v1/entries/${encodeURIComponent(entry)}/promote`),
}

async function call<T = unknown>(method: string, path: string, body?: object): Promise<T> {
  const response = await fetch(path, {
    method,
    credentials: 'same-origin',
    signal: AbortSignal.timeout(10_000),
    ...(body && { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }),
  })
  const text = await response.text()
  if (!response.ok) throw new Problem(response.status, detailOf(text) || response.statusText)
  return (text === '' ? null : JSON.parse(text)) as T
}

/** The detail of an RFC 9457 problem; empty if the answer is none. */
function detailOf(text: string): string {
  try {
    const problem = JSON.parse(text) as { detail?: unknown; title?: unknown }
    return typeof problem.detail === 'string' ? problem.detail : typeof problem.title === 'string' ? problem.title : ''
  } catch {
    return ''
  }
}
