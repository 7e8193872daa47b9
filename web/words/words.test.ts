import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { en, type Key } from './en.js'
import { fill, namesIn } from './fill.js'
import { amount, block, left, wait, type Speaker } from './say.js'
import { choose } from './words.svelte.js'
import { zh } from './zh.js'

const web = new URL('../', import.meta.url)

/** All that the pages are made of. */
function sources(): string {
  return ['play', 'admin', 'look', 'words'].flatMap((folder) =>
    readdirSync(new URL(folder, web))
      .filter((n) => /\.(ts|svelte)$/.test(n) && !/\.test\.ts$|^(en|zh)\.ts$/.test(n))
      .map((n) => readFileSync(new URL(`${folder}/${n}`, web), 'utf8')),
  ).join('\n')
}

describe('the dictionaries', () => {
  it('have the same keys', () => expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort()))

  it.each(Object.keys(en) as Key[])('%s wants no other values in Chinese, and says something', (key) => {
    expect(namesIn(en[key])).toEqual(expect.arrayContaining(namesIn(zh[key])))
    expect(zh[key].trim()).not.toBe('')
    if (key !== 'time.seconds') expect(zh[key]).not.toBe(en[key])
  })

  it('have no key that nobody uses', () => {
    const all = sources()
    const prefixes = [
      ...all.matchAll(/`(\w+)\.\$\{/g), // t(`block.${resource}`)
      ...all.matchAll(/\.of\('(\w+)'/g), // words.of('ended', reason)
    ].map((m) => `${m[1] ?? ''}.`)
    const unused = Object.keys(en).filter((k) => !all.includes(`'${k}'`) && !prefixes.some((p) => k.startsWith(p)))
    expect(unused).toEqual([])
  })
})

describe('fill', () => {
  it.each([
    ['{n} of {m}', { n: 1, m: 2 }, '1 of 2'],
    ['{n|One is|{n} are} ahead', { n: 1 }, 'One is ahead'],
    ['{n|One is|{n} are} ahead', { n: 3 }, '3 are ahead'],
    ['{nobody} there', {}, '{nobody} there'],
    ['a {b} c', { b: '{d}' }, 'a {d} c'],
  ])('%s', (template, values, want) => expect(fill(template, values)).toBe(want))

  it('writes numbers as told, and still counts by them', () => {
    expect(fill('{n|one|{n} people}', { n: 1287 }, (n) => n.toLocaleString('en-GB'))).toBe('1,287 people')
  })
})

const speaker = (language: string, dictionary: Record<Key, string>): Speaker => ({ language, t: (k, v) => fill(dictionary[k], v) })
const english = speaker('en-GB', en)

describe('wait', () => {
  it.each([
    [5, 20, 'Less than a minute'], [40, 80, 'About a minute'], [30, 200, 'Up to 4 minutes'],
    [60, 120, '1 to 2 minutes'], [180, 180, 'About 3 minutes'], [150, 420, '2 to 7 minutes'],
    [2400, 5000, '40 minutes to 1.5 hours'], [3600, 3600, 'About 1 hour'], [7200, 90000, 'More than a day'],
    [3590, 3599, 'About 59 minutes'],
  ])('%i to %i s: %s', (p50_s, p90_s, want) => expect(wait(english, { p50_s, p90_s })).toBe(want))
  it('says unknown as unknown', () => expect(wait(english, null)).toMatch(/^Not yet known/))
})

describe('left', () => {
  it.each([[-5, '0 s'], [1, '1 s'], [18_000, '18 s'], [125_000, '2:05'], [3_725_000, '1:02:05']])('%i ms: %s', (ms, want) => {
    expect(left(english, ms)).toBe(want)
  })
})

describe('block', () => {
  const of = (resource: string, projected: number, limit: number, host = 'h1') => block(english, { resource, projected, limit, host })
  it.each([
    [of('cpu', 0.923, 0.85), 'The processor of h1 is busy: with you it would reach 92%, and the limit is 85%.'],
    [of('vram', 9 * 2 ** 30, 8 * 2 ** 30), 'The graphics memory of h1 is full: with you it would hold 9 GiB of 8 GiB.'],
    [of('uplink_pool', 248e6, 240e6, ''), 'The network line is full: with you it would carry 248 Mbit/s of 240 Mbit/s.'],
    [of('seats', 3, 2), 'All 2 seats of h1 are taken.'],
    [of('seats', 2, 1), 'The only seat of h1 is taken.'],
    [of('stale', 0, 0, ''), 'No fresh reading of the host has come in. Nobody is seated blindly.'],
    [of('coffee', 1, 0), 'Short of coffee.'],
  ])('%s', (got, want) => expect(got).toBe(want))
  it('speaks Chinese', () => {
    expect(block(speaker('zh-Hans', zh), { resource: 'cpu', host: 'h1', projected: 0.9, limit: 0.85 }))
      .toBe('h1 的处理器繁忙：加上您将达到 90%，上限为 85%。')
  })
  it('gives figures their unit', () => expect(amount(english, 'encoder_sessions', 3)).toBe('3'))
})

describe('choose', () => {
  it.each([
    [['zh-CN', 'en'], 'zh'], [['zh-TW'], 'zh'], [['fr-FR', 'zh'], 'zh'], [['fr'], 'en'], [[], 'en'], [['ZH-hans-CN'], 'zh'],
  ])('%s: %s', (wanted, want) => expect(choose(wanted)).toBe(want))
})
