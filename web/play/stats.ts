import type { PlayerStats } from '../client/index.js'

/**
 * Reads what the session's page tells of its stream: a message
 * `{type: 'rendergate.report', fps, rtt_ms, bitrate_bps, frames_dropped}`
 * posted to its parent. Null if it is anything else.
 */
export function statsFrom(data: unknown): PlayerStats | null {
  if (typeof data !== 'object' || data === null) return null
  const from = data as Record<string, unknown>
  if (from['type'] !== 'rendergate.report') return null
  const [fps, rtt, bitrate, dropped] = ['fps', 'rtt_ms', 'bitrate_bps', 'frames_dropped'].map((name) => {
    const value = from[name]
    return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined
  })
  if (fps === undefined || rtt === undefined || bitrate === undefined || dropped === undefined) return null
  return { fps, rtt_ms: rtt, bitrate_bps: bitrate, frames_dropped: dropped }
}
