// Figures and messages in plain words. Pure: the dictionary comes in.
import type { Block, Wait } from '../client/messages.js'
import type { Key } from './en.js'
import type { Values } from './fill.js'

/** A dictionary with its language: t fills a text, has tells whether there is one. */
export interface Speaker {
  language: string
  t: (key: Key, values?: Values) => string
}

const minute = 60
const hour = 3600

/** The range of a wait, as somebody would say it. */
export function wait(s: Speaker, w: Wait | null): string {
  if (w === null) return s.t('wait.unknown')
  const { p50_s: low, p90_s: high } = w
  if (high < 45) return s.t('wait.soon')
  if (high < 90) return s.t('wait.minute')
  if (high >= 24 * hour) return s.t('wait.day')
  if (low < minute) return s.t('wait.upTo', { high: long(s, high, Math.ceil) })
  if (high < hour) {
    const [a, b] = [Math.floor(low / minute), Math.min(59, Math.ceil(high / minute))]
    if (a < b) return s.t('wait.minutesRange', { low: a, high: b })
  }
  const from = long(s, low, Math.floor)
  const to = long(s, high, Math.ceil)
  return from === to ? s.t('wait.about', { high: to }) : s.t('wait.range', { low: from, high: to })
}

function long(s: Speaker, seconds: number, round: (n: number) => number): string {
  return seconds < hour
    ? s.t('wait.minutes', { n: Math.min(59, round(seconds / minute)) })
    : s.t('wait.hours', { n: round((seconds / hour) * 2) / 2 })
}

/** A time to come, for countdowns: 18 s, 2:05, 1:02:05. */
export function left(s: Speaker, ms: number): string {
  const total = Math.max(0, Math.ceil(ms / 1000))
  if (total < minute) return s.t('time.seconds', { n: total })
  const two = (n: number) => String(n).padStart(2, '0')
  const m = Math.floor(total / minute)
  return m < 60 ? `${m}:${two(total % minute)}` : `${Math.floor(m / 60)}:${two(m % 60)}:${two(total % minute)}`
}

/** A time of day. */
export function clock(s: Speaker, at: number): string {
  return new Intl.DateTimeFormat(s.language, { timeStyle: 'medium' }).format(at)
}

export function rate(s: Speaker, bps: number): string {
  return `${number(s, bps / 1e6, 1)} Mbit/s`
}

export function number(s: Speaker, n: number, digits = 0): string {
  return new Intl.NumberFormat(s.language, { maximumFractionDigits: digits }).format(n)
}

/** A figure of a resource in the unit it has. */
export function amount(s: Speaker, resource: string, value: number): string {
  switch (resource) {
    case 'cpu':
    case 'gpu':
    case 'encoder':
      return new Intl.NumberFormat(s.language, { style: 'percent' }).format(value)
    case 'vram':
    case 'memory':
      return `${number(s, value / 2 ** 30, 1)} GiB`
    case 'uplink_host':
    case 'uplink_pool':
      return rate(s, value)
    case 'stale':
      return s.t('time.seconds', { n: Math.round(value * 10) / 10 })
    default:
      return number(s, value, 1)
  }
}

const blocks = new Set<string>([
  'cpu', 'gpu', 'vram', 'memory', 'encoder', 'encoder_sessions', 'seats', 'starting', 'uplink_host', 'uplink_pool',
  'failing', 'frames', 'no_host', 'stale', 'paused',
])

/** What the host is short of, in a sentence with the figures. */
export function block(s: Speaker, b: Block): string {
  if (!blocks.has(b.resource)) return s.t('block.other', { resource: b.resource })
  return s.t(`block.${b.resource}` as Key, {
    host: b.host || s.t('block.aHost'),
    projected: amount(s, b.resource, b.projected),
    limit: amount(s, b.resource, b.limit),
    n: b.limit,
  })
}
