// Empties dist but for the placeholder, which lets `go build ./...` work in a
// clone without Node. Vite would delete it too, so its own emptying is off.
import { mkdirSync, readdirSync, rmSync } from 'node:fs'

const dist = new URL('../dist/', import.meta.url)
mkdirSync(dist, { recursive: true })
for (const name of readdirSync(dist)) {
  if (name !== 'PLACEHOLDER.md') rmSync(new URL(name, dist), { recursive: true })
}
