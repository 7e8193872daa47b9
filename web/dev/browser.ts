import { chromium, type Browser } from 'playwright-core'

/** Debian's Chromium, unless the environment names another. */
const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium'

/** A browser that runs in containers and calls nobody. */
export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required',
    ],
  })
}
