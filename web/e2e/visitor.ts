// Somebody with a browser of their own at the play page.
import type { Browser, BrowserContext, FrameLocator, Page } from 'playwright-core'
import { expect } from 'vitest'

export class Visitor {
  readonly page: Page
  readonly context: BrowserContext
  /** What the page complained of. */
  readonly complaints: string[] = []

  private constructor(context: BrowserContext, page: Page) {
    this.context = context
    this.page = page
    page.setDefaultTimeout(30_000)
    page.on('pageerror', (e) => this.complaints.push(String(e)))
    page.on('console', (m) => {
      // What the session's own page is told off for is for its app to see.
      const ours = m.location().url.startsWith(new URL(page.url()).origin)
      if (ours && /Content.Security.Policy/i.test(m.text())) this.complaints.push(m.text())
    })
  }

  static async come(browser: Browser, url: string): Promise<Visitor> {
    const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 900, height: 600 } })
    const v = new Visitor(context, await context.newPage())
    await v.page.goto(url)
    return v
  }

  get session(): FrameLocator {
    return this.page.frameLocator('iframe')
  }

  /** Until the session's picture is there. Returns the session's id. */
  async seated(): Promise<string> {
    await this.page.waitForSelector('iframe')
    await this.session.locator('#overlay.gone').waitFor({ state: 'attached' })
    return this.sessionId()
  }

  async sessionId(): Promise<string> {
    const src = await this.page.locator('iframe').getAttribute('src')
    const id = /\/s\/([^/]+)\//.exec(src ?? '')?.[1]
    if (id === undefined) throw new Error(`no session in ${String(src)}`)
    return id
  }

  /** Until the heading says this. */
  async reads(heading: string, timeout = 30_000): Promise<void> {
    await this.page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor({ timeout })
  }

  async press(name: string): Promise<void> {
    await this.page.getByRole('button', { name, exact: true }).first().click()
  }

  /** Until frames of a session are drawn on the canvas of the view. */
  async watches(): Promise<void> {
    await this.page.locator('.view .figures').waitFor()
    const colours = await this.page.locator('.view canvas').evaluate((c: HTMLCanvasElement) => {
      const data = c.getContext('2d')?.getImageData(0, 0, c.width, c.height).data ?? []
      const seen = new Set<number>()
      for (let i = 0; i < data.length; i += 404) seen.add(((data[i] ?? 0) << 16) | ((data[i + 1] ?? 0) << 8) | (data[i + 2] ?? 0))
      return seen.size
    })
    expect(colours).toBeGreaterThan(20)
  }

  async go(): Promise<void> {
    await this.context.close()
  }
}
