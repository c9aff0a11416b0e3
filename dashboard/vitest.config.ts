import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const from = (path: string) => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  resolve: {
    alias: [
      { find: '@/strings', replacement: from('src/app/strings/en') },
      { find: '@', replacement: from('src') },
    ],
  },
  test: { environment: 'happy-dom', environmentOptions: { happyDOM: { url: 'http://localhost:8000/' } }, include: ['src/**/*.test.{ts,tsx}'] },
})
