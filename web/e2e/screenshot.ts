// The pictures of the README, from the real demo: docs/play.png, docs/admin.png.
import { statSync } from 'node:fs'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { launch } from '../dev/browser.ts'
import { startDemo, type Demo } from './demo.ts'
import { Visitor } from './visitor.ts'

const mostBytes = 300_000
const file = (name: string) => new URL(`../docs/${name}.png`, import.meta.url).pathname

let demo: Demo
let browser: Browser

beforeAll(async () => {
  browser = await launch()
  demo = await startDemo(2)
})
afterAll(async () => {
  await browser.close()
  await demo.stop()
})

it('takes the pictures', async () => {
  const players = [await Visitor.come(browser, demo.url), await Visitor.come(browser, demo.url)]
  for (const p of players) await p.seated()
  const waiting = await Visitor.come(browser, demo.url)
  await waiting.reads('You are next')
  const behind = await Visitor.come(browser, demo.url)
  await behind.page.setViewportSize({ width: 1280, height: 720 })
  await behind.reads('Number 2 in line')
  await behind.watches()
  await save(behind, 'play')

  const operator = await Visitor.come(browser, demo.admin_url)
  await operator.page.setViewportSize({ width: 1280, height: 860 })
  await operator.page.getByLabel('Name').fill(demo.operator)
  await operator.page.getByLabel('Password').fill(demo.password)
  await operator.press('Log in')
  await operator.page.getByText(/\d+ frames\/s/).first().waitFor()
  await save(operator, 'admin')
})

async function save(v: Visitor, name: string): Promise<void> {
  await v.page.screenshot({ path: file(name) })
  expect(statSync(file(name)).size).toBeLessThan(mostBytes)
}
