// The words of the page about issuers whose tokens the project trusts.
export type Preset = 'clerk' | 'auth0' | 'firebase' | 'cognito' | 'workos' | 'oidc' | 'jwks' | 'custom'

type About = {
  name: string
  /** What is asked for. */
  field: string
  help: string
  example: string
  /** Why it is not what is asked for. */
  wrong: string
  /** What has to be done there, so that tokens have the role. */
  role: string
}

const role = 'A token is “authenticated” if its claim role says so; any other is “anon”.'

export const issuers = {
  title: 'Trusted issuers',
  description: 'Users who sign in at another service, such as Clerk or Auth0. Your policies decide by the claims of its access tokens.',
  list: 'Issuers whose tokens the project trusts',
  add: 'Trust an issuer',
  empty: {
    title: 'No other issuer is trusted',
    text: 'Your users may sign in at another service and keep doing so: name it here, and its access tokens are taken where SQL runs for a caller. Such users have no row in auth.users, and the sign-in API does not take their tokens.',
    snippet: 'A policy on such a token',
  },
  full: 'A project trusts ten issuers at most.',
  any: 'Any audience',
  for: (audiences: string) => `For ${audiences}`,
  anyText: 'Tokens that the issuer made for other apps are accepted too.',
  keys: (n: number) => (n === 1 ? '1 key' : `${n} keys`),
  noKeys: 'No keys',
  fetched: 'fetched',
  given: 'given when it was added',
  showKeys: 'Show the keys',
  keyColumns: { kid: 'Key id', kind: 'Kind', use: 'Use' },
  noKid: 'without an id',
  keysText: 'As they were when the issuer was added. For each token they are fetched again, and kept for a short while.',
  added: 'Added',
  byAddress: 'Keys at an address',
  byHand: 'Keys that were given',
  remove: 'Remove',
  removeTitle: (name: string) => `Trust ${name} no longer?`,
  removeText: 'Its tokens are refused from now on: whoever comes with one is nobody. The issuer itself and its users stay as they are.',
  removed: (name: string) => `${name} is not trusted any more`,
  form: {
    title: 'Trust an issuer',
    text: 'Its keys are fetched first: an issuer that does not answer is not added.',
    preset: 'Where your users sign in',
    issuer: 'Tokens must come from',
    audiences: 'Audiences',
    audiencesHelp: 'A token must be for one of them. Without any, tokens that the issuer made for other apps are accepted too.',
    submit: 'Trust it',
    done: (name: string) => `${name} is trusted now`,
    empty: 'Fill this in',
    notKeys: 'Not a key set: JSON with a list named keys, or one key',
    role: 'The role in its tokens',
  },
  presets: {
    clerk: {
      name: 'Clerk',
      field: 'Domain',
      help: 'The Frontend API URL, on the page “API keys” of your Clerk application.',
      example: 'example.clerk.accounts.dev',
      wrong: 'A domain, such as example.clerk.accounts.dev',
      role: `${role} Add it at Clerk under Sessions → Customize session token: { "role": "authenticated" }.`,
    },
    auth0: {
      name: 'Auth0',
      field: 'Domain of the tenant',
      help: 'With the region, as in the settings of your Auth0 application.',
      example: 'example.eu.auth0.com',
      wrong: 'A domain, such as example.eu.auth0.com',
      role: `${role} Add it at Auth0 by an Action after login: api.accessToken.setCustomClaim('role', 'authenticated').`,
    },
    firebase: {
      name: 'Firebase',
      field: 'Project ID',
      help: 'In the settings of your Firebase project. It is the audience of the tokens, too.',
      example: 'example-app',
      wrong: 'An id of 6 to 30 letters, digits and hyphens, such as example-app',
      role: `${role} Add it at Firebase as a custom claim: auth.setCustomUserClaims(uid, { role: 'authenticated' }).`,
    },
    cognito: {
      name: 'Amazon Cognito',
      field: 'User pool ID',
      help: 'It begins with the region.',
      example: 'eu-central-1_AbCdEf123',
      wrong: 'An id that begins with the region, such as eu-central-1_AbCdEf123',
      role: `${role} Add it at Cognito by the trigger “Pre token generation”.`,
    },
    workos: {
      name: 'WorkOS',
      field: 'Client ID',
      help: 'On the page “API keys” of WorkOS.',
      example: 'client_01ABCDEF',
      wrong: 'An id such as client_01ABCDEF',
      role: `${role} WorkOS puts the user’s role in the organization there: give it another name by a JWT template, { "role": "authenticated", "user_role": {{organization_membership.role}} }.`,
    },
    oidc: {
      name: 'OpenID issuer',
      field: 'Issuer',
      help: 'As in the claim iss of its tokens. Its discovery document names its keys.',
      example: 'https://login.example.com',
      wrong: 'An address that begins with https://',
      role,
    },
    jwks: {
      name: 'Address of keys',
      field: 'Address of the key set',
      help: 'Tokens that one of these keys has signed are accepted, whatever their issuer.',
      example: 'https://login.example.com/.well-known/jwks.json',
      wrong: 'An address that begins with https://',
      role,
    },
    custom: {
      name: 'Keys given here',
      field: 'Public keys',
      help: 'A key set (JWKS) of RSA, EC or Ed25519 keys. Give no private ones.',
      example: '{ "keys": [{ "kty": "EC", "crv": "P-256", "kid": "…", "x": "…", "y": "…" }] }',
      wrong: 'Not a key set: JSON with a list named keys, or one key',
      role,
    },
  } satisfies Record<Preset, About> as Record<Preset, About>,
  check: {
    title: 'Check a token',
    text: 'Says what a token may see, without doing anything: a statement runs with its role and claims, and is undone.',
    field: 'Access token',
    help: 'It is sent to this server and kept nowhere.',
    run: 'Check',
    ok: (role: string) => `Accepted, with the role ${role}.`,
    anon: 'It has no claim role of “authenticated”, so that policies for signed-in users do not let it in.',
    claims: 'What policies see: auth.jwt()',
  },
}
