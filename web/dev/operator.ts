// The mock's answers to the operator page.

const gib = 2 ** 30
const ago = (s: number) => new Date(Date.now() - s * 1000).toISOString()
const ahead = (s: number) => ago(-s)

let paused = false

const pool = () => ({
  name: 'demo', seats: { used: 7, offered: 1, calibrated: 10 }, spectators: 12, queue: { length: 4, waiting: 4, watch: 2 },
  uplink: { used_bps: 164e6, budget_bps: 240e6 }, hosts: { known: 2, connected: 2 }, leader: 'self', paused,
})

const host = (name: string, draining: boolean, connected = true) => ({
  host: name, version: '0.1.0', connected, since: ago(8000), draining, sample_age_s: connected ? 0.6 : 412, clock_skew_s: 0.01,
  cores: 16, share: 'machine', memory_bytes: 64 * gib, gate_url: `https://${name}.example.com`, apps: ['showroom'],
  gpus: [{ uuid: 'GPU-1', name: 'NVIDIA L4', vram_bytes: 24 * gib, util: 0.61, encoder: 0.33, encoder_sessions: 4, vram_used_bytes: 15 * gib }],
  uplink: { used_bps: 82e6, budget_bps: 1e9 }, load: { cpu: 0.52, memory_bytes: 30 * gib, egress_bps: 80e6 }, sessions: ['s1', 's2'],
})

const verdict = (resource: string, device: number, n: [measured: number | null, reserved: number, projected: number, limit: number, word?: string]) => ({
  resource, device, measured: n[0], reserved: n[1], now: 0, usual: 0, margin: 0, new: 0, projected: n[2], limit: n[3], verdict: n[4] ?? 'ok',
})

const explain = () => ({
  app: 'showroom', admits: true, blocked_by: null,
  items: [
    { host: 'render-1', admits: false, resources: [
      verdict('cpu', -1, [0.52, 0.11, 0.74, 0.85]), verdict('gpu', 0, [0.71, 0.1, 0.93, 0.85, 'full']),
      verdict('vram', 0, [15 * gib, 17 * gib, 20 * gib, 21.6 * gib]), verdict('encoder', 0, [0.33, 0, 0.42, 0.85]),
      verdict('seats', -1, [null, 5, 6, 6]), verdict('uplink_host', -1, [80e6, 82e6, 90e6, 1e9]),
    ] },
    { host: 'render-2', admits: true, resources: [
      verdict('cpu', -1, [0.22, 0, 0.31, 0.85]), verdict('gpu', 0, [0.34, 0, 0.46, 0.85]),
      verdict('encoder', 0, [null, 0, 0, 0.85, 'unknown']), verdict('seats', -1, [null, 3, 4, 4]),
    ] },
    { host: 'render-3', admits: false, resources: [verdict('no_host', -1, [null, 0, 0, 0, 'disconnected'])] },
  ],
})

const session = (n: number, phase: string) => ({
  id: `d3f1-s${n}`, app: 'showroom', host: n % 2 ? 'render-1' : 'render-2', gpu: 0, client: `d3f1-c${n}`, phase, since: ago(n * 200),
  ready_at: ago(n * 200), ends_at: ahead(1800 - n * 200), watchers: n % 3, sharing: 'open', bitrate_bps: 8e6, attempt: 1,
  report: n === 2 ? null : { fps: 59.4, rtt_ms: 18, bitrate_bps: 7.6e6, frames_dropped: 2 },
})

const entry = (n: number, more: object = {}) => ({
  id: `d3f1-e${n}`, client: `d3f1-c${20 + n}`, class: 'normal', app: 'showroom', intent: 'play', since: ago(40 * n), connected: n !== 3,
  lapses: 0, position: n, expires_at: null, wait: { p50_s: 60 * n, p90_s: 150 * n }, ...more,
})

const lists: Record<string, () => unknown> = {
  '/v1/pools': () => ({ items: [pool()], next: null }),
  '/v1/pools/demo': pool,
  '/v1/pools/demo/hosts': () => ({ items: [host('render-1', false), host('render-2', true), host('render-3', false, false)], next: null }),
  '/v1/pools/demo/explain': explain,
  '/v1/pools/demo/sessions': () => ({ items: [session(1, 'connected'), session(2, 'starting'), session(3, 'dropped')], next: null }),
  '/v1/pools/demo/queue': () => ({
    items: [entry(0, { position: 0, offer: 'o1', session: 'd3f1-s9', expires_at: ahead(14) }), entry(1), entry(2), entry(3, { wait: null })], next: null,
  }),
  '/v1/me': () => ({ name: 'ops', version: '0.1.0' }),
}

/** An answer: a status and, if any, what it says. */
export interface Answer { status: number; body?: unknown; cookie?: string }

/** A call: what it is, and whether it carries the mock's cookie. */
export interface Call { method: string; path: string; body: string; loggedIn: boolean }

/** Answers an operator's call, or null if it is none. */
export function operatorAnswers({ method, path, body, loggedIn }: Call): Answer | null {
  if (path === '/v1/login') return login(body)
  if (path === '/v1/logout') return { status: 204, cookie: 'mock=; Max-Age=0; Path=/' }
  if (!path.startsWith('/v1/') || path === '/v1/lobby') return null
  if (!loggedIn) return { status: 401, body: { title: 'Unauthorized', status: 401, code: 'unauthorized', detail: 'log in first' } }
  if (method !== 'GET') return act(path)
  const list = lists[path]
  return list ? { status: 200, body: list() } : { status: 404, body: { title: 'Not Found', status: 404, code: 'not_found', detail: path } }
}

function login(body: string): Answer {
  const { name, password } = JSON.parse(body) as { name: string; password: string }
  return password === 'demo'
    ? { status: 200, body: { name }, cookie: 'mock=in; HttpOnly; SameSite=Strict; Path=/' }
    : { status: 401, body: { title: 'Unauthorized', status: 401, code: 'unauthorized', detail: 'wrong name or password' } }
}

function act(path: string): Answer {
  if (path.endsWith('/pause')) paused = true
  if (path.endsWith('/resume')) paused = false
  return path.startsWith('/v1/pools/') ? { status: 200, body: pool() } : { status: 204 }
}
