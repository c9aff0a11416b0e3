import tailwindcss from '@tailwindcss/vite'
import { tanstackRouter } from '@tanstack/router-plugin/vite'
import react from '@vitejs/plugin-react'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'
import { compress } from './scripts/compress.js'

const from = (path: string) => fileURLToPath(new URL(path, import.meta.url))

const api = process.env.REEVE_URL ?? 'http://localhost:8000'

export default defineConfig({
  plugins: [
    tanstackRouter({ target: 'react', autoCodeSplitting: true, routesDirectory: 'src/app/routes', generatedRouteTree: 'src/app/routeTree.gen.ts' }),
    react(),
    tailwindcss(),
    compress(),
  ],
  resolve: {
    alias: [
      { find: '@/strings', replacement: from('src/app/strings/en') },
      { find: '@', replacement: from('src') },
    ],
  },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0, // the content security policy allows files only
    emptyOutDir: false, // scripts/compress.js keeps what git tracks
    modulePreload: { polyfill: false },
    manifest: true, // for scripts/size.js, which removes it
  },
  server: {
    // The server takes a browser's session from its own pages alone.
    proxy: Object.fromEntries(['/v1', '/v2', '/auth/v1', '/dashboard', '/dev', '/landing'].map((path) => [path, { target: api, headers: { Origin: api } }])),
  },
})
