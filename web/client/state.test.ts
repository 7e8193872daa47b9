import { describe, expect, it } from 'vitest'
import type { ServerMessage } from './messages.js'
import { after, type Standing } from './state.js'
import { ended, offered, queued, refused, seated, starting, watching } from './testing/says.js'

const play = (...messages: ServerMessage[]) => messages.reduce<Standing>(after, { name: 'connecting' })
const names = (...messages: ServerMessage[]) => {
  let s: Standing = { name: 'connecting' }
  return messages.map((m) => (s = after(s, m)).name).join(' ')
}

describe('after', () => {
  it.each([
    ['at once', [starting(), seated()], 'starting seated'],
    ['through the queue', [queued(), offered(), starting(), seated()], 'queued offered starting seated'],
    ['an offer that lapses', [queued(), offered(), queued({ moved: 'lapsed' })], 'queued offered queued'],
    ['a start that fails', [starting(), queued({ position: 1 })], 'starting queued'],
    ['an application that is started again', [seated(), starting(), seated()], 'seated starting seated'],
    ['watching from the start', [watching()], 'watching'],
    ['waiting to watch', [queued({ intent: 'watch' }), watching()], 'queued watching'],
    ['watching while waiting', [queued(), watching(), queued({ position: 2 }), offered()], 'queued queued queued offered'],
    ['a view that ends', [watching(), ended({ session: 's9', role: 'spectator', reason: 'session' })], 'watching ended'],
    ['another one’s view that ends', [watching(), ended({ session: 's8', role: 'spectator' })], 'watching watching'],
    ['a spectator’s end while seated', [watching(), seated(), ended({ session: 's9', role: 'spectator' })], 'watching seated seated'],
    ['the queue out of a view', [watching(), queued()], 'watching queued'],
    ['a refusal with nothing', [refused()], 'refused'],
    ['a refused wish', [queued(), refused({ code: 'nothing_to_watch' })], 'queued queued'],
    ['a place that is taken away', [queued(), refused({ code: 'removed' })], 'queued refused'],
    ['an offer that lapses once too often', [queued(), offered(), refused({ code: 'lapsed' })], 'queued offered refused'],
    ['a wish that is refused while seated', [seated(), refused({ code: 'lapsed' })], 'seated seated'],
    ['an end', [seated(), ended()], 'seated ended'],
    ['an end that puts back', [seated(), ended({ reason: 'host_lost' }), queued({ position: 1 })], 'seated ended queued'],
  ] satisfies [string, ServerMessage[], string][])('%s', (_, messages, want) => {
    expect(names(...messages)).toBe(want)
  })

  it('keeps the view from the queue to the start, and drops it with the seat', () => {
    expect(play(queued(), watching(), offered(), starting())).toMatchObject({ view: { session: 's9' } })
    expect(play(queued(), watching(), offered(), starting(), seated())).not.toHaveProperty('view')
  })

  it('keeps the place when the view ends', () => {
    const s = play(queued(), watching(), ended({ session: 's9', role: 'spectator', reason: 'yielded' }))
    expect(s).toMatchObject({ name: 'queued', view: null })
  })

  it('puts the ticket into the address only where it is not there', () => {
    expect(play(seated())).toMatchObject({ seat: { url: 'http://h1/s/s1/?ticket=t1' } })
    expect(play(watching())).toMatchObject({ view: { url: '/v1/watch/s9?ticket=t9' } })
  })

  it('remembers why the position got worse until it gets better', () => {
    const worse = [queued({ position: 2 }), queued({ position: 3, moved: 'promoted' }), queued({ position: 3 })]
    expect(play(...worse)).toMatchObject({ place: { moved: 'promoted' } })
    expect(play(...worse, queued({ position: 2 }))).toMatchObject({ place: { moved: null } })
    expect(play(...worse, queued({ entry: 'e2', position: 9 }))).toMatchObject({ place: { moved: null } })
  })

  it('takes watchers from notices, and no end: an idle player may come back to life', () => {
    expect(play(seated(), { type: 'notice', code: 'watched', message: '', watchers: 4 })).toMatchObject({ seat: { watchers: 4 } })
    expect(play(seated(), { type: 'notice', code: 'ending_soon', message: '', ends_at: '2026-11-21T12:10:00Z' }))
      .toMatchObject({ seat: { endsAt: Date.parse('2026-11-21T12:30:00Z') } })
  })
})
