import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'

const slow = { testTimeout: 180_000, hookTimeout: 120_000, fileParallelism: false }

export default defineConfig({
  test: {
    projects: [
      {
        plugins: [svelte()],
        test: { name: 'unit', include: ['{client,play,admin,words,dev}/**/*.test.ts'] },
      },
      { test: { name: 'screens', include: ['dev/screens.ts'], ...slow } },
      { test: { name: 'e2e', include: ['e2e/*.e2e.ts'], ...slow } },
      { test: { name: 'screenshot', include: ['e2e/screenshot.ts'], ...slow } },
    ],
  },
})
