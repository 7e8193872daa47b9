// The operator page against the real service.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launch } from '../dev/browser.ts'
import { startDemo, type Demo } from './demo.ts'
import { Visitor } from './visitor.ts'

let demo: Demo
let browser: Browser
let page: Page

beforeAll(async () => {
  browser = await launch()
  demo = await startDemo(1)
  page = await (await browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 900 } })).newPage()
  page.setDefaultTimeout(20_000)
})
afterAll(async () => {
  await browser.close()
  await demo.stop()
})

const section = (name: string) => page.locator('section', { has: page.getByRole('heading', { level: 2, name, exact: true }) })
const press = (name: string) => page.getByRole('button', { name, exact: true }).first().click()
const confirm = (name: string) => page.getByRole('dialog').getByRole('button', { name, exact: true }).click()

async function login(password: string): Promise<void> {
  await page.getByLabel('Name').fill(demo.operator)
  await page.getByLabel('Password').fill(password)
  await press('Log in')
}

describe('the operator page', () => {
  let ann: Visitor, bob: Visitor

  it('lets nobody in with a wrong password', async () => {
    await page.goto(demo.admin_url)
    await login('guess')
    await page.getByText('Name or password is wrong.').waitFor()
  })

  it('shows the host and why it would take one more', async () => {
    await login(demo.password)
    await page.getByRole('heading', { level: 1, name: demo.pool }).waitFor()
    await page.getByText('Would take one more').waitFor()
    await section('Hosts').getByText('CPU', { exact: true }).waitFor()
  })

  it('keeps the login over a reload', async () => {
    await page.reload()
    await page.getByRole('heading', { level: 1, name: demo.pool }).waitFor()
  })

  it('pauses: who comes is told so and waits, and is seated when it goes on', async () => {
    await press('Pause admission')
    await confirm('Pause admission')
    await page.getByText('Paused: nobody is offered a seat.').waitFor()
    ann = await Visitor.come(browser, demo.url)
    await ann.page.getByText('An operator has paused admission.').first().waitFor()
    await press('Resume admission')
    await ann.reads('Your seat is ready')
    await ann.press('Take the seat')
    await ann.seated()
  })

  it('shows sessions and the line', async () => {
    bob = await Visitor.come(browser, demo.url)
    await bob.reads('You are next')
    await section('Sessions').getByText(await ann.sessionId()).waitFor()
    await section('Sessions').getByText(/\d+ frames\/s/).waitFor()
    await section('Line').getByRole('listitem').waitFor()
    expect(await section('Line').getByRole('listitem').count()).toBe(1)
  })

  it('drains a host: the session goes on, nobody new comes, its player is told', async () => {
    await press('Drain')
    await page.getByText('The one session that runs goes on until it ends').waitFor()
    await confirm('Drain')
    await ann.page.getByText('will be taken out of service').waitFor()
    await section('Hosts').getByText('draining').first().waitFor()
    await press('Take back into service')
    await confirm('Take back into service')
    await page.getByRole('button', { name: 'Drain', exact: true }).waitFor()
  })

  it('removes from the line', async () => {
    await section('Line').getByRole('button', { name: /^Remove/ }).click()
    await confirm('Remove')
    await bob.page.getByText('An operator took you out of the line.').waitFor()
    await section('Line').getByText('Nobody waits.').waitFor()
  })

  it('ends a session', async () => {
    await section('Sessions').getByRole('button').click()
    await confirm('End')
    await ann.reads('The session is over')
    await ann.page.getByText('An operator ended it.').waitFor()
  })

  it('logs out', async () => {
    await press('Log out')
    await page.getByRole('heading', { name: 'Log in' }).waitFor()
    await page.reload()
    await page.getByRole('heading', { name: 'Log in' }).waitFor()
  })
})
