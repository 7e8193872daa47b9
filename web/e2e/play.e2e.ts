// The main job, end to end: real browsers, the real service, the real probe,
// the demo's app. The tests build on each other, in this order.
import { readFileSync } from 'node:fs'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launch } from '../dev/browser.ts'
import { startDemo, type Demo } from './demo.ts'
import { Visitor } from './visitor.ts'

let demo: Demo
let browser: Browser
const everybody: Visitor[] = []

async function come(query = ''): Promise<Visitor> {
  const v = await Visitor.come(browser, demo.url + query)
  everybody.push(v)
  return v
}

interface Pool { seats: { used: number; offered: number }; spectators: number; queue: { length: number } }
const pool = () => demo.call<Pool>('GET', `/v1/pools/${demo.pool}`)

beforeAll(async () => {
  browser = await launch()
  demo = await startDemo(2)
})
afterAll(async () => {
  await browser.close()
  await demo.stop()
})

describe('the play page', () => {
  let ann: Visitor, bob: Visitor, cem: Visitor, dot: Visitor

  it('seats two players who only open the address', async () => {
    ann = await come()
    bob = await come()
    expect(await ann.seated()).not.toBe(await bob.seated())
    expect(await pool()).toMatchObject({ seats: { used: 2 }, queue: { length: 0 } })
  })

  it('takes the players’ input, and nobody else’s', async () => {
    await ann.session.locator('#levels button').last().click()
    await ann.session.locator('#levels button[aria-pressed=true]').last().waitFor()
  })

  it('lets a third wait, say why, and watch meanwhile', async () => {
    cem = await come()
    await cem.reads('You are next')
    await cem.page.getByText(/seats of demo-host are taken|processor of demo-host is busy/).waitFor()
    await cem.watches()
  })

  it('lets a fourth wait behind', async () => {
    dot = await come()
    await dot.reads('Number 2 in line')
    await dot.press('Stop watching')
    await dot.page.locator('.view').waitFor({ state: 'detached' })
    expect(await pool()).toMatchObject({ seats: { used: 2 }, queue: { length: 2 } })
  })

  it('tells the player how many look on', async () => {
    const counts = () => Promise.all([ann, bob].map((v) => v.page.locator('.watchers .unseen').textContent()))
    await expect.poll(async () => (await counts()).sort()).toEqual(['0 watching', '1 watching'])
  })

  it('keeps the seat over a reload', async () => {
    const before = await bob.sessionId()
    await bob.page.reload()
    expect(await bob.seated()).toBe(before)
    expect(await pool()).toMatchObject({ seats: { used: 2 } })
  })

  it('keeps the place over a reload', async () => {
    await dot.page.reload()
    await dot.reads('Number 2 in line')
  })

  it('goes on in a second tab of the same person, and back', async () => {
    const secret = await dot.page.evaluate(() => Object.fromEntries(Object.entries(sessionStorage)))
    const other = await dot.context.newPage()
    await other.addInitScript((kept) => Object.entries(kept).forEach(([k, v]) => sessionStorage.setItem(k, String(v))), secret)
    await other.goto(demo.url)
    await other.getByRole('heading', { name: 'Number 2 in line' }).waitFor()
    await dot.reads('It goes on in another tab')
    await dot.press('Use it here')
    await dot.reads('Number 2 in line')
    await other.close()
  })

  it('offers the seat of one who leaves to the first in line, who accepts and plays', async () => {
    await ann.press('Leave')
    await ann.page.getByRole('dialog').getByRole('button', { name: 'Leave' }).click()
    await ann.reads('The session is over')
    await cem.reads('Your seat is ready')
    expect(await cem.page.title()).toMatch(/^Your turn! \d+ s/)
    expect(await cem.page.getByRole('button', { name: 'Take the seat' }).evaluate((b) => b === document.activeElement)).toBe(true)
    await cem.page.keyboard.press('Enter')
    await cem.seated()
    await dot.reads('You are next')
  })

  it('outlives kill -9 of the service: seats run on, places stay', async () => {
    const [bobs, cems] = [await bob.sessionId(), await cem.sessionId()]
    await bob.session.locator('body').evaluate((b) => b.setAttribute('data-same', 'yes'))
    process.kill(demo.server_pid, 'SIGKILL')
    await Promise.all([
      bob.page.getByText('No connection to the service since').waitFor(),
      dot.reads('The connection is lost'),
    ])
    await bob.page.getByText('No connection to the service since').waitFor({ state: 'detached' })
    await dot.reads('You are next')
    expect(await bob.sessionId()).toBe(bobs)
    expect(await cem.seated()).toBe(cems)
    // The picture went on: the frame was not even loaded anew.
    expect(await bob.session.locator('body').getAttribute('data-same')).toBe('yes')
    expect(await pool()).toMatchObject({ seats: { used: 2 }, queue: { length: 1 } })
  })

  it('frees the seat of a closed tab after the grace, not before', async () => {
    const closed = Date.now()
    await cem.go()
    await dot.reads('Your seat is ready', 90_000)
    const waited = (Date.now() - closed) / 1000
    expect(waited).toBeGreaterThan(25) // reconnect_grace is 30 s, told by a gate that pings
    expect(waited).toBeLessThan(75)
    await dot.press('Take the seat')
    await dot.seated()
  })

  it('hides what the player closes to others, and lets in those who come to watch', async () => {
    await bob.page.getByLabel('Who may watch').selectOption('closed')
    const eve = await come('?watch')
    await eve.reads('You are watching')
    await eve.watches()
    const sessions = await demo.call<{ items: { id: string; watchers: number }[] }>('GET', `/v1/pools/${demo.pool}/sessions`)
    const own = await bob.sessionId()
    expect(sessions.items.find((s) => s.id === own)?.watchers).toBe(0)
    await eve.press('Play yourself')
    await eve.reads('You are next')
    await eve.watches()
    await eve.press('Leave the line')
    await eve.page.getByRole('dialog').getByRole('button', { name: 'Leave the line' }).click()
    await eve.reads('The session is over')
  })

  it('plays in a page of somebody else’s, as the library’s README has it', async () => {
    const readme = readFileSync(new URL('../client/README.md', import.meta.url), 'utf8')
    const html = /```html\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
    const page = await browser.newPage()
    // The page comes from nowhere, so Chromium asks whether it may call this machine.
    await page.context().grantPermissions(['local-network-access'])
    await page.route(new URL('/mine.html', demo.url).href, (route) =>
      route.fulfill({ contentType: 'text/html', body: html.replaceAll('https://gate.example.com', demo.url.replace(/\/$/, '')).replaceAll("'showroom'", `'${demo.pool}'`) }))
    await page.goto(new URL('/mine.html', demo.url).href)
    await page.getByText('1 of 1 in line').waitFor({ timeout: 20_000 })
    await bob.press('Leave')
    await bob.page.getByRole('dialog').getByRole('button', { name: 'Leave' }).click()
    await page.getByRole('button', { name: 'Take the seat' }).click()
    await page.frameLocator('iframe').locator('#overlay.gone').waitFor({ state: 'attached', timeout: 20_000 })
    await page.close()
  })

  it('has nothing to complain of', () => {
    expect(everybody.flatMap((v) => v.complaints)).toEqual([])
  })
})
