import { expect, it } from 'vitest'
import { statsFrom } from './stats.js'

const good = { type: 'rendergate.report', fps: 30, rtt_ms: 4, bitrate_bps: 1e6, frames_dropped: 0 }

it('reads a report', () => expect(statsFrom({ ...good, more: 1 })).toEqual({ fps: 30, rtt_ms: 4, bitrate_bps: 1e6, frames_dropped: 0 }))

it.each([
  null, 'rendergate.report', {}, { ...good, type: 'other' }, { ...good, fps: '30' }, { ...good, fps: Number.NaN },
  { ...good, rtt_ms: -1 }, { ...good, frames_dropped: undefined },
])('takes nothing from %j', (data) => expect(statsFrom(data)).toBeNull())
