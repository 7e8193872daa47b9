import { defineConfig } from 'vite'

// The client library as one module for pages of somebody else's.
export default defineConfig({
  publicDir: false,
  build: {
    target: 'es2022',
    emptyOutDir: false,
    lib: { entry: 'client/index.ts', formats: ['es'], fileName: () => 'rendergate-client.js' },
  },
})
