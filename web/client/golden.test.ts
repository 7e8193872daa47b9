// The Go messages and these are held to the same files.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { decode } from './decode.js'
import type { ClientMessage, ServerMessage } from './messages.js'

const folder = new URL('../../server/play/testdata/messages/', import.meta.url)

const server: Record<ServerMessage['type'], true> = {
  welcome: true, queued: true, offered: true, starting: true, seated: true,
  watching: true, refused: true, notice: true, ended: true, error: true,
}
const client: Record<ClientMessage['type'], true> = {
  join: true, accept: true, decline: true, ticket: true, watch: true, unwatch: true, sharing: true, report: true, leave: true,
}

const names = existsSync(folder) ? readdirSync(folder).filter((n) => n.endsWith('.json')) : []

describe.skipIf(names.length === 0)('golden messages', () => {
  const seen = new Set<string>()

  it.each(names)('%s', (name) => {
    const raw = readFileSync(new URL(name, folder), 'utf8')
    const golden = JSON.parse(raw) as { type: string }
    seen.add(golden.type)
    if (Object.hasOwn(client, golden.type)) return
    // Every field of the file is one that is read: nothing is left out.
    expect(decode(raw)).toEqual(golden)
  })

  it('are there for every type of both sides', () => {
    expect([...seen].sort()).toEqual(expect.arrayContaining([...Object.keys(server), ...Object.keys(client)].sort()))
  })
})
