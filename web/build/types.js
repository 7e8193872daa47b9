// Puts the library's types where TypeScript looks for them: beside the module.
import { writeFileSync } from 'node:fs'

writeFileSync(
  new URL('../dist/rendergate-client.d.ts', import.meta.url),
  "export * from './rendergate-client/index.js'\n",
)
