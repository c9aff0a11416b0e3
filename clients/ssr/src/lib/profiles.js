// The app's own rows about its users, as the owner of the database.
import { env } from '$env/dynamic/private'
import pg from 'pg'

const db = new pg.Pool({ connectionString: env.DATABASE_URL, max: 2 })
// A lost idle connection: the pool opens another.
db.on('error', (err) => console.error('database:', err.message))

/** Writes the user's row, whether the trigger has made it or not. */
export async function saveProfile({ id, email }) {
  await db.query(
    `insert into public.profiles (id, email, callbacks) values ($1, $2, 1)
     on conflict (id) do update set email = excluded.email, callbacks = profiles.callbacks + 1`,
    [id, email],
  )
}

export async function profileOf({ id }) {
  const { rows } = await db.query('select email, callbacks from public.profiles where id = $1', [id])
  return rows[0]
}
