// The client of the Management API. Its types are generated from the API's own
// description: `npm run generate`.
import createClient from 'openapi-fetch'
import { sessionFetch } from '@/lib/session'
import { refusalOf } from './error'
import type { components, paths } from './schema.gen'

export const api = createClient<paths>({ baseUrl: '', fetch: sessionFetch })

/** A named schema of the API's description. */
export type Schema<Name extends keyof components['schemas']> = components['schemas'][Name]

type Answer<Data> = { data?: Data; error?: unknown; response: Response }

/** The data of an answer; throws ApiError for a refusal. */
export async function answer<Data>(sent: Promise<Answer<Data>>): Promise<Data> {
  const { data, error, response } = await sent
  if (!response.ok) throw await refusalOf(response, error)
  return data as Data
}
