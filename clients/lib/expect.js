// Assertions about the client's answers.
import assert from 'node:assert/strict'

/** The data of an answer that must hold no error. */
export function ok({ data, error }) {
  assert.equal(error, null, error && `${error.name} ${error.status} ${error.code}: ${error.message}`)
  return data
}

/** The error of an answer, which must have this status and code. */
export function refused({ data, error }, status, code) {
  assert.ok(error, `accepted, but ${status} ${code} was expected: ${JSON.stringify(data)}`)
  assert.deepEqual({ status: error.status, code: error.code }, { status, code }, error.message)
  assert.ok(error.message, 'an error must explain itself')
  return error
}

let users = 0

/** An address that nobody has. */
export const freshEmail = (name = 'user') => `${name}-${process.pid}-${++users}@example.com`

export const password = 'correct horse 1'

/** The session that a redirect carries in its fragment. */
export function sessionOf({ fragment }) {
  const session = { access_token: fragment.get('access_token'), refresh_token: fragment.get('refresh_token') }
  assert.ok(session.access_token && session.refresh_token, `no session in the fragment: ${fragment}`)
  return session
}

/** The claims of a token, not verified. */
export const claimsOf = (jwt) => JSON.parse(Buffer.from(jwt.split('.')[1], 'base64url'))
