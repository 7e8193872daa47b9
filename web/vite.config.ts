import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'
import { mock } from './dev/mock.ts'

const here = import.meta.dirname

// With RENDERGATE_SERVER set, `npm run dev` speaks to a real server; otherwise
// to the mock, where the pool's name chooses what is played.
const server = process.env['RENDERGATE_SERVER']

export default defineConfig({
  plugins: [svelte(), ...(server ? [] : [mock()])],
  server: server ? { proxy: { '/v1': { target: server, ws: true, changeOrigin: true } } } : {},
  build: {
    target: 'es2022',
    emptyOutDir: false, // build/clean.js does it and spares the placeholder
    assetsInlineLimit: 0, // the pages' CSP allows no data: scripts or styles
    modulePreload: { polyfill: false },
    rolldownOptions: { input: { index: `${here}/index.html`, admin: `${here}/admin.html` } },
  },
})
