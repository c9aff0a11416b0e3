type Known = {
  name: string
  /** Where an app is registered. */
  console: { label: string; url: string }
  /** What the registration is called there. */
  app: string
  /** What the provider calls the callback address. */
  callback: string
  /** What else has to be done there. */
  note?: string
}

const known: Record<string, Known> = {
  apple: { name: 'Apple', console: { label: 'Apple Developer', url: 'https://developer.apple.com/account/resources/identifiers/list/serviceId' }, app: 'a Services ID with “Sign in with Apple”', callback: 'Return URLs', note: 'The client secret is a JWT that you sign with your key of Apple. It ends after six months at most: note the day.' },
  azure: { name: 'Microsoft', console: { label: 'Microsoft Entra', url: 'https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps/ApplicationsListBlade' }, app: 'an app registration', callback: 'Redirect URI of the platform “Web”', note: 'To let in one company alone, put its tenant into the address: https://login.microsoftonline.com/<tenant>.' },
  bitbucket: { name: 'Bitbucket', console: { label: 'Bitbucket workspaces', url: 'https://bitbucket.org/account/workspaces/' }, app: 'an OAuth consumer, in the settings of a workspace', callback: 'Callback URL', note: 'Give it the permissions “Account: Email” and “Account: Read”.' },
  discord: { name: 'Discord', console: { label: 'Discord developer portal', url: 'https://discord.com/developers/applications' }, app: 'an application', callback: 'Redirects, below OAuth2' },
  facebook: { name: 'Facebook', console: { label: 'Meta for Developers', url: 'https://developers.facebook.com/apps' }, app: 'an app with Facebook Login', callback: 'Valid OAuth Redirect URIs', note: 'The app must be live, and have the permission “email”.' },
  figma: { name: 'Figma', console: { label: 'Figma apps', url: 'https://www.figma.com/developers/apps' }, app: 'an app', callback: 'Callback URLs' },
  fly: { name: 'Fly.io', console: { label: 'Fly.io', url: 'https://fly.io/dashboard' }, app: 'an OAuth application, by their support', callback: 'Redirect URI' },
  github: { name: 'GitHub', console: { label: 'GitHub developer settings', url: 'https://github.com/settings/developers' }, app: 'an OAuth app', callback: 'Authorization callback URL' },
  gitlab: { name: 'GitLab', console: { label: 'GitLab applications', url: 'https://gitlab.com/-/user_settings/applications' }, app: 'an application', callback: 'Redirect URI', note: 'Give it the scope “read_user”. For a GitLab of your own, set its address.' },
  google: { name: 'Google', console: { label: 'Google Cloud console', url: 'https://console.cloud.google.com/auth/clients' }, app: 'an OAuth client of the type “Web application”', callback: 'Authorized redirect URIs', note: 'Ids of your apps for Android and iOS go into the further client IDs.' },
  kakao: { name: 'Kakao', console: { label: 'Kakao Developers', url: 'https://developers.kakao.com/console/app' }, app: 'an application with Kakao Login', callback: 'Redirect URI', note: 'The client ID is the REST API key. Ask for the consent item “account_email”.' },
  keycloak: { name: 'Keycloak', console: { label: 'Keycloak documentation', url: 'https://www.keycloak.org/docs/latest/server_admin/' }, app: 'a confidential client in your realm', callback: 'Valid redirect URIs', note: 'The address is the realm’s: https://keycloak.example.com/realms/<realm>.' },
  linkedin: { name: 'LinkedIn (legacy)', console: { label: 'LinkedIn developers', url: 'https://www.linkedin.com/developers/apps' }, app: 'an app', callback: 'Authorized redirect URLs', note: 'LinkedIn gives this to old apps alone. New ones use LinkedIn.' },
  linkedin_oidc: { name: 'LinkedIn', console: { label: 'LinkedIn developers', url: 'https://www.linkedin.com/developers/apps' }, app: 'an app with “Sign In with LinkedIn using OpenID Connect”', callback: 'Authorized redirect URLs' },
  notion: { name: 'Notion', console: { label: 'Notion integrations', url: 'https://www.notion.so/profile/integrations' }, app: 'a public integration', callback: 'Redirect URIs' },
  slack: { name: 'Slack (legacy)', console: { label: 'Slack apps', url: 'https://api.slack.com/apps' }, app: 'an app', callback: 'Redirect URLs', note: 'Slack gives this to old apps alone. New ones use Slack.' },
  slack_oidc: { name: 'Slack', console: { label: 'Slack apps', url: 'https://api.slack.com/apps' }, app: 'an app with “Sign in with Slack”', callback: 'Redirect URLs', note: 'Add the user scopes “openid”, “email” and “profile”.' },
  snapchat: { name: 'Snapchat', console: { label: 'Snap Kit portal', url: 'https://kit.snapchat.com/manage' }, app: 'an app with Login Kit', callback: 'Redirect URIs' },
  spotify: { name: 'Spotify', console: { label: 'Spotify for Developers', url: 'https://developer.spotify.com/dashboard' }, app: 'an app', callback: 'Redirect URIs' },
  twitch: { name: 'Twitch', console: { label: 'Twitch developers', url: 'https://dev.twitch.tv/console/apps' }, app: 'an application', callback: 'OAuth Redirect URLs' },
  twitter: { name: 'Twitter (OAuth 1.0a)', console: { label: 'X developer portal', url: 'https://developer.x.com/en/portal/projects-and-apps' }, app: 'an app with OAuth 1.0a', callback: 'Callback URI', note: 'Turn on “Request email from users”. New apps use X.' },
  vercel_marketplace: { name: 'Vercel Marketplace', console: { label: 'Vercel integrations', url: 'https://vercel.com/dashboard/integrations/console' }, app: 'an integration', callback: 'Redirect URL' },
  workos: { name: 'WorkOS', console: { label: 'WorkOS dashboard', url: 'https://dashboard.workos.com' }, app: 'an application', callback: 'Redirects' },
  x: { name: 'X', console: { label: 'X developer portal', url: 'https://developer.x.com/en/portal/projects-and-apps' }, app: 'an app with OAuth 2.0, as a confidential client', callback: 'Callback URI', note: 'Turn on “Request email from users”.' },
  zoom: { name: 'Zoom', console: { label: 'Zoom Marketplace', url: 'https://marketplace.zoom.us/develop/create' }, app: 'a general app, managed by users', callback: 'OAuth Redirect URL', note: 'Give it the scope “user:read:user”.' },
}

export const providers = {
  known,
  search: 'Find a provider',
  none: (text: string) => `No provider is called “${text}”.`,
  on: 'On',
  off: 'Off',
  ready: 'Set up, off',
  onTitle: 'In use',
  allTitle: 'Not set up',
  general: 'Custom providers',
  turnOn: (name: string) => `Sign-in with ${name}`,
  steps: {
    register: (name: string) => `Register your app at ${name}`,
    create: (what: string) => `Create ${what}.`,
    createOwn: 'Create a client for your app there.',
    callback: 'Give it the callback address',
    callbackText: (field: string) => `There the field is called “${field}”. Paste this:`,
    callbackTextOwn: 'Paste this where it asks for a redirect address:',
    client: 'Enter what it gave you',
    test: 'Test it',
    turnOn: 'Turn it on, and call it from your app',
  },
  test: {
    text: 'Asks the provider whether it knows your client. Nobody is signed in, and nothing is saved.',
    run: 'Test',
    ok: 'The provider knows your client.',
    failed: 'Sign-ins would fail: the provider refuses the client.',
    incomplete: 'Something is missing.',
    missing: (label: string) => `${label} is empty`,
    checks: { authorize: 'The page that people are sent to', token: 'Client ID and secret' } as Record<string, string>,
  },
  more: 'More settings',
  callbackLabel: 'Callback address',
  unknown: 'There is no such provider',
}
