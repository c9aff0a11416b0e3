// All pages, for pictures and for what is checked on each of them.

/** The addresses by name, for a project in which something has happened. */
export const pages = ({ project, users }) => {
  const p = `/p/${project.ref}`
  return {
    projects: '/orgs/default',
    members: '/orgs/default/members',
    invitations: '/orgs/default/members/invitations',
    roles: '/orgs/default/members/roles',
    tokens: '/orgs/default/tokens',
    usage: '/orgs/default/usage',
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
    users: `${p}/users`,
    user: `${p}/users/${users[1].id}`,
    providers: `${p}/auth/providers`,
    provider: `${p}/auth/providers/google`,
    'new-provider': `${p}/auth/providers/new`,
    'auth-email': `${p}/auth/email`,
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
    keys: `${p}/keys`,
    'signing-keys': `${p}/keys/signing`,
    database: `${p}/database`,
    tables: `${p}/database/tables`,
    advisors: `${p}/database/advisors`,
    migrations: `${p}/database/migrations`,
    connection: `${p}/database/connection`,
    logs: `${p}/logs`,
    inbox: `${p}/inbox`,
    branches: `${p}/branches`,
    settings: `${p}/settings`,
    history: `${p}/settings/history`,
  }
}

/** Pages of people who are not signed in. */
export const open = { 'sign-in': '/sign-in', reset: '/reset' }
