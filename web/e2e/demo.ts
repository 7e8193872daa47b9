// The real thing: `rendergate demo` as a process, with an empty data folder.
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** What `rendergate demo --json` prints when it is ready. */
export interface Ready {
  url: string
  admin_url: string
  pool: string
  operator: string
  password: string
  api_token: string
  server_pid: number
  probe_pid: number
}

export interface Demo extends Ready {
  /** An operator's call, answered. */
  call<T>(method: string, path: string): Promise<T>
  stop(): Promise<void>
}

function program(): string {
  const bin = process.env['RENDERGATE_BIN']
  if (!bin) throw new Error('RENDERGATE_BIN is not set: build the program with `make build`, then RENDERGATE_BIN=$PWD/bin/rendergate')
  return bin
}

export async function startDemo(seats: number): Promise<Demo> {
  const data = mkdtempSync(join(tmpdir(), 'rendergate-e2e-'))
  const listen = `127.0.0.1:${await freePort()}`
  const log: string[] = []
  const child = spawn(program(), ['demo', '--listen', listen, '--data', data, '--json', '--seats', String(seats)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child.stderr.on('data', (chunk: Buffer) => log.push(chunk.toString()))
  try {
    return demoOf(child, await readyOf(child), data)
  } catch (err) {
    child.kill('SIGKILL')
    throw new Error(`the demo did not start: ${String(err)}\n${log.join('')}`, { cause: err })
  }
}

function demoOf(child: ChildProcess, ready: Ready, data: string): Demo {
  return {
    ...ready,
    async call<T>(method: string, path: string) {
      const response = await fetch(new URL(path, ready.url), { method, headers: { Authorization: `Bearer ${ready.api_token}` } })
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
      return (await response.json()) as T
    },
    async stop() {
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await gone
      rmSync(data, { recursive: true, force: true })
    },
  }
}

function readyOf(child: ChildProcess): Promise<Ready> {
  return new Promise((resolve, reject) => {
    if (child.stdout) createInterface(child.stdout).once('line', (line) => resolve(JSON.parse(line) as Ready))
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`exit status ${String(code)}`)))
    setTimeout(() => reject(new Error('not ready within 60 s')), 60_000).unref()
  })
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => (typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port'))))
    })
  })
}
