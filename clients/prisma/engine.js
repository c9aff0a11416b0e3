// The adapter for Prisma's schema engine where that is the one in WebAssembly.
// @prisma/adapter-pg lacks what only that engine needs.
import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'

// The engine's limits of time are timers of 10 and 60 seconds that go on when it is
// done: without this, each command waits for them before it ends.
const { setTimeout } = globalThis
globalThis.setTimeout = (fn, ms, ...args) => {
  const timer = setTimeout(fn, ms, ...args)
  return ms < 10_000 ? timer : timer.unref()
}

const oid = { char: 18, name: 19, text: 25, nameArray: 1003, textArray: 1009 }
const readAs = { [oid.char]: oid.text, [oid.name]: oid.text, [oid.nameArray]: oid.textArray }
const character = 6 // ColumnTypeEnum.Character of @prisma/driver-adapter-utils

export class SchemaAdapter extends PrismaPg {
  #shadow

  constructor(connectionString, shadow) {
    // One connection, because a session holds the lock of a migration until it ends.
    super({ connectionString, max: 1, allowExitOnIdle: true })
    this.#shadow = shadow
  }

  async connect() {
    return complete(await super.connect())
  }

  // The engine expects an empty database. The owner cannot create one, so that it
  // is another project's, emptied; auth.users is there already.
  async connectToShadowDb() {
    if (!this.#shadow) throw new Error('SHADOW_DATABASE_URL is not set')
    const shadow = await new SchemaAdapter(this.#shadow).connect()
    await shadow.executeScript('drop schema if exists public cascade; create schema public')
    return shadow
  }
}

/** Completes a connection by the catalog's types and by scripts with function bodies. */
function complete(adapter) {
  const { queryRaw } = adapter
  adapter.queryRaw = async (query) => {
    let fields
    const result = await queryRaw.call(
      Object.create(adapter, {
        performIO: {
          value: async (query) => {
            const answer = await adapter.performIO(query)
            fields = answer.fields
            return { ...answer, fields: fields.map((f) => ({ ...f, dataTypeID: readAs[f.dataTypeID] ?? f.dataTypeID })) }
          },
        },
      }),
      query,
    )
    fields.forEach((f, i) => f.dataTypeID === oid.char && (result.columnTypes[i] = character))
    return result
  }
  // The original splits at each semicolon, also at those in a function's body.
  adapter.executeScript = async (script) => void (await adapter.client.query(script))
  return adapter
}

/** What is in schema auth, for `tables.external` and `enums.external`: Prisma leaves it alone. */
export async function externalIn(connectionString) {
  const db = new pg.Client({ connectionString })
  await db.connect()
  try {
    const named = async (text) => (await db.query(text)).rows.map(({ name }) => `auth.${name}`)
    return {
      tables: await named("select relname as name from pg_class where relnamespace = 'auth'::regnamespace and relkind in ('r', 'p')"),
      enums: await named("select typname as name from pg_type where typnamespace = 'auth'::regnamespace and typtype = 'e'"),
    }
  } finally {
    await db.end()
  }
}
