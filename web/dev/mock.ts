// A service to develop the pages against: it speaks the protocol and plays the
// scene that the pool is named after. See scenes.ts for their names; the
// operator page's password is "demo".
import { readFileSync } from 'node:fs'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Connect, Plugin } from 'vite'
import { WebSocketServer, type WebSocket } from 'ws'
import type { ClientMessage } from '../client/messages.ts'
import { operatorAnswers } from './operator.ts'
import { scenes, staysAway, type Stage } from './scenes.ts'

/** What the real service sends, so that what it forbids is seen here. */
const csp = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self' ws: wss:; " +
  "frame-src http: https:; font-src 'self'; manifest-src 'self'; media-src 'self' blob:; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"

export function mock(): Plugin {
  return {
    name: 'rendergate-mock',
    configureServer(server) {
      server.middlewares.use(answer)
      if (server.httpServer) attach(server.httpServer as Server)
    },
    configurePreviewServer(server) {
      server.middlewares.use((_req, res, next) => {
        res.setHeader('Content-Security-Policy', csp)
        next()
      })
      server.middlewares.use(answer)
      attach(server.httpServer as Server)
    },
  }
}

const answer: Connect.NextHandleFunction = (req, res, next) => {
  const path = new URL(req.url ?? '/', 'http://mock').pathname
  if (path === '/admin') req.url = '/admin.html'
  if (path === '/v1/lobby') return json(res, 200, { items: lobbies(), next: null })
  if (path.startsWith('/s/')) return sessionPage(res, path)
  if (!path.startsWith('/v1/')) return next()
  void bodyOf(req).then((body) => {
    const loggedIn = /\bmock=in\b/.test(req.headers.cookie ?? '')
    const a = operatorAnswers({ method: req.method ?? 'GET', path, body, loggedIn })
    if (!a) return next()
    if (a.cookie) res.setHeader('Set-Cookie', a.cookie)
    json(res, a.status, a.body)
  })
}

const lobbies = () => Object.keys(scenes).map((pool) => ({
  pool, apps: ['showroom'], note: 'sessions are counted against 1 of this machine’s 2 cores',
}))

function json(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { 'Content-Type': 'application/json' })
  res.end(body === undefined ? undefined : JSON.stringify(body))
}

async function bodyOf(req: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of req) body += String(chunk)
  return body
}

/** Stands in for a session's page behind a gate. */
function sessionPage(res: ServerResponse, path: string): void {
  res.removeHeader('Content-Security-Policy')
  if (path.endsWith('.jpg')) {
    res.writeHead(200, { 'Content-Type': 'image/jpeg' })
    return void res.end(frame)
  }
  res.writeHead(200, { 'Content-Type': 'text/html' })
  res.end(`<!doctype html><html lang="en"><title>session</title><body style="margin:0;background:#0a100e">
<img src="/s/frame.jpg" alt="a rendered scene" style="width:100vw;height:100vh;object-fit:cover">
<script>setInterval(() => parent.postMessage({type: 'rendergate.report', fps: 60, rtt_ms: 9, bitrate_bps: 7e6, frames_dropped: 0}, '*'), 1000)</script>`)
}

const frame = readFileSync(new URL('./frame.jpg', import.meta.url))

function attach(server: Server): void {
  const sockets = new WebSocketServer({ noServer: true })
  server.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    const path = new URL(req.url ?? '/', 'http://mock').pathname
    const pool = /^\/v1\/pools\/([^/]+)\/play$/.exec(path)?.[1]
    if (pool !== undefined) sockets.handleUpgrade(req, socket, head, (ws) => play(ws, pool))
    else if (path.startsWith('/v1/watch/')) sockets.handleUpgrade(req, socket, head, stream)
  })
}

function play(ws: WebSocket, pool: string): void {
  const scene = scenes[pool]
  if (!scene) return ws.close(4400)
  const stage = stageOf(ws)
  ws.on('message', (data: Buffer) => {
    const m = JSON.parse(data.toString()) as ClientMessage
    if (m.type !== 'join') return scene.hear?.(stage, m)
    if (m.resume !== undefined && staysAway.has(pool)) return ws.terminate()
    stage.say({
      type: 'welcome', client: 'c1', resume: 'mock', resumed: m.resume !== undefined, server_time: new Date().toISOString(),
    })
    scene.begin(stage)
  })
}

function stageOf(ws: WebSocket): Stage {
  const timers: NodeJS.Timeout[] = []
  ws.on('close', () => timers.forEach(clearTimeout))
  return {
    say: (m) => ws.send(JSON.stringify(m)),
    close: (code) => ws.close(code),
    cut: () => ws.terminate(),
    after: (ms, f) => void timers.push(setTimeout(f, ms)),
    time: (ms) => new Date(Date.now() + ms).toISOString(),
    watchUrl: '/v1/watch/s9',
  }
}

function stream(ws: WebSocket): void {
  ws.send(JSON.stringify({ mime: 'image/jpeg', codec: 'mjpeg', width: 960, height: 540, rate: 30, audio: false }))
  const timer = setInterval(() => ws.send(frame), 100)
  ws.on('close', () => clearInterval(timer))
}
