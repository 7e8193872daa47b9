// Every state of both pages in a real browser, as built and under the CSP of
// the real service: looked over by axe, and kept as a picture to look at in
// test-results/screens. SCREENS=play-queued takes one alone.
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { preview, type PreviewServer } from 'vite'
import { launch } from './browser.ts'

const folder = new URL('../test-results/screens/', import.meta.url)
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface Screen {
  name: string
  path: string
  /** What is there when the state is reached. */
  until: string
  act?: (page: Page) => Promise<unknown>
}

const play = (pool: string, until: string, act?: Screen['act'], query = ''): Screen => ({
  name: `play-${pool}`, path: `/?pool=${pool}${query}`, until, ...(act && { act }),
})
const login = async (page: Page) => {
  await page.fill('input[name=name]', 'ops')
  await page.fill('input[name=password]', 'demo')
  await page.click('form button')
  await page.waitForSelector('article .track')
}

const screens: Screen[] = [
  play('connecting', '.gate'),
  play('queued', '.line'),
  play('next', '.line'),
  play('moved', '.moved'),
  play('meanwhile', '.view .figures'),
  play('offered', '[role=timer]'),
  play('starting', '.bar'),
  play('seated', 'iframe'),
  play('ending', '.toasts p'),
  play('cutoff', '.gone'),
  play('watching', '.view .figures', undefined, '&watch'),
  play('towatch', '.line', undefined, '&watch'),
  play('ended', '.button.main'),
  play('refused', '.button.main'),
  play('gone', '.figures'),
  play('restart', '.figures'),
  play('crowded', '.figures'),
  play('elsewhere', '.button.main'),
  play('denied', 'h1'),
  { ...play('queued', 'dialog[open]', async (page) => page.click('.button.quiet')), name: 'play-leave' },
  { name: 'admin-login', path: '/admin', until: 'form' },
  { name: 'admin-wrong', path: '/admin', until: '.wrong', act: async (page) => {
    await page.fill('input[name=name]', 'ops')
    await page.fill('input[name=password]', 'guess')
    await page.click('form button')
    await page.waitForSelector('.wrong:not(:empty)')
  } },
  { name: 'admin', path: '/admin', until: 'article .track', act: login },
  { name: 'admin-drain', path: '/admin', until: 'dialog[open]', act: async (page) => {
    await login(page)
    await page.click('article .button')
  } },
]

const looks = (['light', 'dark'] as const).flatMap((scheme) => (['en', 'zh'] as const).flatMap((language) => [
  { scheme, language, name: 'wide', width: 1280, height: 800 },
  { scheme, language, name: 'phone', width: 360, height: 740 },
]))

let server: PreviewServer
let browser: Browser

beforeAll(async () => {
  mkdirSync(folder, { recursive: true })
  server = await preview({ preview: { port: 0, host: '127.0.0.1' }, logLevel: 'warn' })
  browser = await launch()
})
afterAll(async () => {
  await browser.close()
  await server.close()
})

const base = () => server.resolvedUrls?.local[0] ?? ''

async function open(context: BrowserContext, s: Screen): Promise<{ page: Page; complaints: string[] }> {
  const page = await context.newPage()
  page.setDefaultTimeout(10_000)
  const complaints: string[] = []
  page.on('console', (m) => {
    // The operator page asks who it is before it shows its login: 401 is the answer.
    if (m.type() === 'error' && !/401|WebSocket connection|ERR_/.test(m.text())) complaints.push(m.text())
  })
  page.on('pageerror', (e) => complaints.push(String(e)))
  await page.goto(new URL(s.path, base()).href)
  if (s.act) {
    await page.waitForSelector('form, h1')
    await s.act(page)
  }
  await page.waitForSelector(s.until)
  return { page, complaints }
}

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe) // by the debugger's way in, which the page's CSP does not bind
  return page.evaluate(async () => {
    const { axe } = window as unknown as { axe: typeof import('axe-core') }
    const found = await axe.run({ exclude: ['iframe'] }, { resultTypes: ['violations'] })
    return found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(' | ')}`)
  })
}

/** What can be pressed and stands partly outside, where nothing scrolls to it. */
function cutOff(page: Page, width: number): Promise<string[]> {
  return page.evaluate((right) => [...document.querySelectorAll('button, select, input, a')]
    .filter((e) => e.checkVisibility() && e.getBoundingClientRect().right > right + 0.5 && !e.closest('.scroll'))
    .map((e) => e.outerHTML.slice(0, 120)), width)
}

const chosen = screens.filter((s) => !process.env['SCREENS'] || s.name === process.env['SCREENS'])

describe.each(looks)('$name $scheme $language', (look) => {
  it.concurrent.each(chosen)('$name', async (s) => {
    const context = await browser.newContext({
      viewport: { width: look.width, height: look.height }, colorScheme: look.scheme, reducedMotion: 'reduce',
      locale: look.language === 'zh' ? 'zh-CN' : 'en-GB', timezoneId: 'UTC',
    })
    try {
      const { page, complaints } = await open(context, s)
      await page.screenshot({ path: new URL(`${s.name}-${look.name}-${look.scheme}-${look.language}.png`, folder).pathname })
      expect(await violations(page)).toEqual([])
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(look.width)
      expect(await cutOff(page, look.width)).toEqual([])
      expect(complaints).toEqual([])
    } finally {
      await context.close()
    }
  })
})
