// Checks of what comes in, built from small ones. A check returns the value at
// its type, or throws a Malformed that says where and what was wanted.

export type Check<T> = (value: unknown, at: string) => T

export class Malformed extends Error {
  override name = 'Malformed'
}

function wrong(at: string, want: string, value: unknown): Malformed {
  const got = value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value
  return new Malformed(`${at} is ${got}; want ${want}`)
}

export const text: Check<string> = (value, at) => {
  if (typeof value !== 'string') throw wrong(at, 'a text', value)
  return value
}

export const flag: Check<boolean> = (value, at) => {
  if (typeof value !== 'boolean') throw wrong(at, 'true or false', value)
  return value
}

export const number: Check<number> = (value, at) => {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw wrong(at, 'a number', value)
  return value
}

/** A time in RFC 3339. */
export const time: Check<string> = (value, at) => {
  const s = text(value, at)
  if (!/^\d{4}-\d\d-\d\dT/.test(s) || Number.isNaN(Date.parse(s))) throw new Malformed(`${at} is ${JSON.stringify(s)}; want a time like 2026-01-31T12:00:00Z`)
  return s
}

export function oneOf<T extends string>(...known: readonly T[]): Check<T> {
  return (value, at) => {
    const s = text(value, at)
    const found = known.find((k) => k === s)
    if (found === undefined) throw new Malformed(`${at} is ${JSON.stringify(s)}; want one of ${known.join(', ')}`)
    return found
  }
}

export function orNull<T>(check: Check<T>): Check<T | null> {
  return (value, at) => (value === null ? null : check(value, at))
}

export function optional<T>(check: Check<T>): Check<T | undefined> {
  return (value, at) => (value === undefined ? undefined : check(value, at))
}

/** Checks the named fields; others, of newer servers, are left out. */
export function object<T extends object>(fields: { [K in keyof T]-?: Check<T[K]> }): Check<T> {
  const names = Object.keys(fields) as (keyof T & string)[]
  return (value, at) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(at, 'an object', value)
    const from = value as Record<string, unknown>
    const out: Partial<T> = {}
    for (const name of names) {
      const field = fields[name](from[name], `${at}.${name}`)
      if (field !== undefined) out[name] = field
    }
    return out as T
  }
}
