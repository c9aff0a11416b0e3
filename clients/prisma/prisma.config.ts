import { defineConfig } from 'prisma/config'
import { externalIn, SchemaAdapter } from './engine.js'

// `prisma generate` needs no database.
const { DATABASE_URL, SHADOW_DATABASE_URL } = process.env
const auth = DATABASE_URL ? await externalIn(DATABASE_URL) : { tables: ['auth.users'], enums: [] }

export default defineConfig({
  schema: 'prisma/schema.prisma',
  engine: 'js',
  experimental: { adapter: true, externalTables: true },
  adapter: async () => new SchemaAdapter(DATABASE_URL, SHADOW_DATABASE_URL),
  tables: { external: auth.tables },
  enums: { external: auth.enums },
})
