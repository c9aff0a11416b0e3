// All pages, for pictures and for what is checked on each of them.
import { readdirSync } from 'node:fs'

/** The addresses by name, for a project in which everything has happened; see rich.js. */
export const pages = ({ project, users, connection }) => {
  const p = `/p/${project.ref}`
  return {
    projects: '/orgs/default',
    members: '/orgs/default/members',
    invitations: '/orgs/default/members/invitations',
    roles: '/orgs/default/members/roles',
    tokens: '/orgs/default/tokens',
    usage: '/orgs/default/usage',
    billing: '/orgs/default/billing',
    audit: '/orgs/default/audit',
    'organization-settings': '/orgs/default/settings',
    account: '/account',
    new: '/new',
    operator: '/operator',
    'operator-projects': '/operator/projects',
    'operator-organizations': '/operator/organizations',
    'operator-jobs': '/operator/jobs',
    'operator-inbox': '/operator/inbox',
    home: p,
    start: `${p}/start`,
    users: `${p}/users`,
    user: `${p}/users/${users[1].id}`,
    'user-long-name': `${p}/users/${users[8].id}`,
    providers: `${p}/auth/providers`,
    provider: `${p}/auth/providers/google`,
    'new-provider': `${p}/auth/providers/new`,
    'auth-email': `${p}/auth/email`,
    'auth-phone': `${p}/auth/phone`,
    'auth-passkeys': `${p}/auth/passkeys`,
    'auth-saml': `${p}/auth/saml`,
    'auth-web3': `${p}/auth/web3`,
    'auth-sign-up': `${p}/auth/sign-up`,
    'auth-passwords': `${p}/auth/passwords`,
    'auth-sessions': `${p}/auth/sessions`,
    'auth-captcha': `${p}/auth/captcha`,
    'auth-notifications': `${p}/auth/notifications`,
    'auth-api-keys': `${p}/auth/api_keys`,
    'auth-urls': `${p}/auth/urls`,
    'auth-limits': `${p}/auth/limits`,
    hooks: `${p}/auth/hooks`,
    hook: `${p}/auth/hooks/custom_access_token`,
    issuers: `${p}/auth/issuers`,
    'auth-mfa': `${p}/auth/mfa`,
    templates: `${p}/auth/templates`,
    template: `${p}/auth/templates/confirmation`,
    smtp: `${p}/auth/smtp`,
    sso: `${p}/sso`,
    'new-connection': `${p}/sso/new`,
    'setup-links': `${p}/sso/links`,
    connection: `${p}/sso/${connection.id}`,
    'connection-domains': `${p}/sso/${connection.id}?tab=domains`,
    'connection-rules': `${p}/sso/${connection.id}?tab=rules`,
    'connection-mapping': `${p}/sso/${connection.id}?tab=mapping`,
    'connection-directory': `${p}/sso/${connection.id}?tab=directory`,
    'connection-sign-ins': `${p}/sso/${connection.id}?tab=signins`,
    keys: `${p}/keys`,
    'signing-keys': `${p}/keys/signing`,
    database: `${p}/database`,
    tables: `${p}/database/tables`,
    advisors: `${p}/database/advisors`,
    migrations: `${p}/database/migrations`,
    'database-connection': `${p}/database/connection`,
    logs: `${p}/logs`,
    inbox: `${p}/inbox`,
    branches: `${p}/branches`,
    settings: `${p}/settings`,
    history: `${p}/settings/history`,
  }
}

/** Pages of people who are not signed in. A link to set a connection up works as long as it is not used. */
export const open = ({ setup }) => ({
  'sign-in': '/sign-in',
  'sign-up': '/sign-in?mode=sign-up',
  reset: '/reset',
  invite: '/invite',
  setup: '/setup',
  'setup-link': setup.url.slice(new URL(setup.url).origin.length),
})

// Routes that lead elsewhere at once.
const leading = new Set(['/', '/p/$ref/auth'])

/** The routes of the app that none of these addresses is at. */
export function unseen(addresses) {
  const files = readdirSync(new URL('../src/app/routes', import.meta.url), { recursive: true }).filter((f) => f.endsWith('.tsx') && !/(^|\/)(__root|route)\.tsx$/.test(f) && f !== '_app.tsx')
  const paths = Object.values(addresses).map((a) => a.split(/[?#]/)[0])
  return files
    .map((file) => `/${file.replace(/\.tsx$/, '').split('/').filter((part) => part !== '_app' && part !== 'index').join('/').replace('_.', '/')}`)
    .filter((route) => !leading.has(route))
    .filter((route) => !paths.some((path) => new RegExp(`^${route.replace(/\$\w+/g, '[^/]+')}$`).test(path)))
}
