// What a company's administrator does in the console of their identity provider. The
// names in quotation marks are those of its fields.

/** A value that the page knows, or a text that is typed as it is. */
export type GuideField = { label: string; value: 'acs' | 'entity' | 'metadata' | 'scim' | 'redirect' | 'afterLogout' | 'backchannel' | { text: string } }
export type GuideStep = { text: string; fields?: GuideField[] }
export type Guide = {
  name: string
  steps: GuideStep[]
  /** Where its metadata is. */
  metadata: string
  /** Whether it has an address for its metadata. */
  byAddress: boolean
  mapping: { email: string; name: string; groups: string }
  scim?: GuideStep[]
  /** For the providers that speak OpenID Connect too. */
  oidc?: OIDCGuide
}
export type OIDCGuide = {
  steps: GuideStep[]
  /** Where its issuer, client id and secret are. */
  where: string
  /** The form of its issuer. */
  issuer: string
  mapping: { email: string; name: string; groups: string }
  scopes: string[]
}

const named = { email: 'email', name: 'name', groups: 'groups' }
const text = (value: string) => ({ text: value })
const claims = { email: '', name: 'name', groups: 'groups' }

export const guides: Record<string, Guide> = {
  okta: {
    name: 'Okta',
    byAddress: true,
    mapping: named,
    steps: [
      { text: 'In the Okta Admin Console, open Applications › Applications and choose “Create App Integration”, then “SAML 2.0”. Name the app and continue.' },
      {
        text: 'Under “SAML Settings”, fill in:',
        fields: [
          { label: 'Single sign-on URL', value: 'acs' },
          { label: 'Audience URI (SP Entity ID)', value: 'entity' },
          { label: 'Name ID format', value: text('Persistent') },
          { label: 'Application username', value: text('Okta username') },
        ],
      },
      {
        text: 'Under “Attribute Statements”, add these. In newer consoles they are on the app’s Sign On tab, once the app is made.',
        fields: [
          { label: 'email', value: text('user.email') },
          { label: 'name', value: text('user.displayName') },
        ],
      },
      { text: 'To pass groups, add a “Group Attribute Statement” named groups, with a filter such as “Matches regex” .*' },
      { text: 'Finish. On the “Assignments” tab, assign the people or groups who may sign in, and yourself for the test.' },
    ],
    metadata: 'Sign On tab › “Metadata details” › “Metadata URL”',
    scim: [
      { text: 'On the app’s General tab, edit “App Settings” and choose SCIM as the provisioning.' },
      {
        text: 'On the Provisioning tab, under Integration, fill in:',
        fields: [
          { label: 'SCIM connector base URL', value: 'scim' },
          { label: 'Unique identifier field for users', value: text('userName') },
          { label: 'Authentication Mode', value: text('HTTP Header') },
        ],
      },
      { text: 'Paste the token below as the bearer token. Under “To App”, switch on “Create Users”, “Update User Attributes” and “Deactivate Users”.' },
    ],
    oidc: {
      issuer: 'https://YOUR-ORG.okta.com',
      where: 'General tab › “Client Credentials” for the id and the secret. The issuer is the address of your org, without “-admin”; it is on the Sign On tab.',
      mapping: claims,
      scopes: ['groups'],
      steps: [
        { text: 'In the Okta Admin Console, open Applications › Applications and choose “Create App Integration”, then “OIDC - OpenID Connect” and “Web Application”.' },
        {
          text: 'Keep the grant type “Authorization Code”, and fill in:',
          fields: [
            { label: 'Sign-in redirect URIs', value: 'redirect' },
            { label: 'Sign-out redirect URIs', value: 'afterLogout' },
          ],
        },
        { text: 'Under “Assignments”, choose the people or groups who may sign in, and yourself for the test. Save.' },
        { text: 'To pass groups, open the Sign On tab, edit “OpenID Connect ID Token”, and set a groups claim filter named groups, such as “Matches regex” .*' },
      ],
    },
  },
  'entra-id': {
    name: 'Microsoft Entra ID',
    byAddress: true,
    mapping: {
      email: 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress',
      name: 'http://schemas.microsoft.com/identity/claims/displayname',
      groups: 'http://schemas.microsoft.com/ws/2008/06/identity/claims/groups',
    },
    steps: [
      { text: 'In the Microsoft Entra admin center, open “Enterprise applications”, choose “New application”, then “Create your own application” and “Integrate any other application you don’t find in the gallery”.' },
      {
        text: 'Open “Single sign-on”, choose SAML, and edit “Basic SAML Configuration”:',
        fields: [
          { label: 'Identifier (Entity ID)', value: 'entity' },
          { label: 'Reply URL (Assertion Consumer Service URL)', value: 'acs' },
        ],
      },
      { text: 'In “Attributes & Claims”, the emailaddress claim is user.mail by default. Where people have no mail attribute, set it to user.userprincipalname.' },
      { text: 'To pass groups, choose “Add a group claim”. Groups then arrive as object ids unless you choose another source attribute.' },
      { text: 'Open “Users and groups” and assign the people who may sign in, and yourself for the test.' },
    ],
    metadata: 'Single sign-on › “SAML Certificates” › “App Federation Metadata Url”',
    scim: [
      {
        text: 'Open “Provisioning”, choose “Automatic”, and under “Admin Credentials” fill in the address below and the token as “Secret Token”:',
        fields: [{ label: 'Tenant URL', value: 'scim' }],
      },
      { text: 'Choose “Test Connection”, save, and switch the provisioning on. Entra pushes changes about every 40 minutes.' },
    ],
    oidc: {
      issuer: 'https://login.microsoftonline.com/YOUR-TENANT-ID/v2.0',
      where: 'The app registration’s Overview has “Application (client) ID” and “Directory (tenant) ID”, which is part of the issuer. The secret is the column “Value” of “Certificates & secrets”, not “Secret ID”.',
      mapping: claims,
      scopes: [],
      steps: [
        { text: 'In the Microsoft Entra admin center, open “App registrations” and choose “New registration”, for accounts in this organizational directory only.' },
        { text: 'Choose the platform “Web”, and fill in:', fields: [{ label: 'Redirect URI', value: 'redirect' }] },
        { text: 'Open “Certificates & secrets” and choose “New client secret”. Copy its value at once, and note when it expires: sign-ins end that day.' },
        { text: 'Open “Token configuration”, choose “Add optional claim”, the type ID, and email. People without a mail attribute have no address, and are refused.' },
        { text: 'To pass groups, choose “Add groups claim” there. Groups arrive as object ids.' },
        { text: 'Under “Enterprise applications”, open the same app and assign the people who may sign in.' },
      ],
    },
  },
  'google-workspace': {
    name: 'Google Workspace',
    byAddress: false,
    mapping: named,
    steps: [
      { text: 'In the Google Admin console, open Apps › “Web and mobile apps”, then “Add app” › “Add custom SAML app”. Name the app and continue.' },
      { text: 'On the page “Google Identity Provider details”, choose “Download Metadata” and keep the file for the next step here.' },
      {
        text: 'On “Service provider details”, fill in:',
        fields: [
          { label: 'ACS URL', value: 'acs' },
          { label: 'Entity ID', value: 'entity' },
          { label: 'Name ID format', value: text('EMAIL') },
          { label: 'Name ID', value: text('Basic Information > Primary email') },
        ],
      },
      {
        text: 'On “Attribute mapping”, add:',
        fields: [
          { label: 'Primary email', value: text('email') },
          { label: 'First name', value: text('name') },
        ],
      },
      { text: 'To pass groups, choose them under “Group membership” with the app attribute groups.' },
      { text: 'Open “User access” of the app and switch it on for everyone, or for an organizational unit. It can take some time to act.' },
    ],
    metadata: 'The file from “Download Metadata”. Google has no address for it.',
    oidc: {
      issuer: 'https://accounts.google.com',
      where: 'The dialog after “Create” has the id and the secret. The issuer is the same for everybody.',
      mapping: { ...claims, groups: '' },
      scopes: [],
      steps: [
        { text: 'In the Google Cloud console, choose a project of your organization, open “APIs & Services” › “OAuth consent screen”, and set the audience to Internal, so that only people of your organization sign in.' },
        { text: 'Open “Credentials”, choose “Create credentials” › “OAuth client ID”, the type “Web application”, and fill in:', fields: [{ label: 'Authorized redirect URIs', value: 'redirect' }] },
        { text: 'Google states no groups by OpenID Connect. Where groups decide, use SAML.' },
      ],
    },
  },
  onelogin: {
    name: 'OneLogin',
    byAddress: true,
    mapping: named,
    steps: [
      { text: 'In OneLogin’s Administration, open Applications, choose “Add App”, and search for “SAML Custom Connector (Advanced)”. Name it and save.' },
      {
        text: 'On the “Configuration” tab, fill in:',
        fields: [
          { label: 'Audience (EntityID)', value: 'entity' },
          { label: 'Recipient', value: 'acs' },
          { label: 'ACS (Consumer) URL Validator', value: 'acs' },
          { label: 'ACS (Consumer) URL', value: 'acs' },
          { label: 'SAML initiator', value: text('Service Provider') },
        ],
      },
      { text: 'On the “SSO” tab, set “SAML Signature Algorithm” to SHA-256. SHA-1 is refused.' },
      {
        text: 'On the “Parameters” tab, add fields, each with “Include in SAML assertion” checked:',
        fields: [
          { label: 'email', value: text('Email') },
          { label: 'name', value: text('Name') },
          { label: 'groups', value: text('User Roles') },
        ],
      },
      { text: 'Save, and give the app to the people who may sign in, for example by a role on the “Access” tab.' },
    ],
    metadata: 'SSO tab › “Issuer URL”, or “More Actions” › “SAML Metadata” for a file',
    scim: [
      { text: 'SCIM needs a connector that has it, such as “SCIM Provisioner with SAML (SCIM v2 Core)”.' },
      { text: 'On its “Configuration” tab, fill in the address below, and the token as “SCIM Bearer Token”:', fields: [{ label: 'SCIM Base URL', value: 'scim' }] },
    ],
    oidc: {
      issuer: 'https://YOUR-SUBDOMAIN.onelogin.com/oidc/2',
      where: 'SSO tab: “Client ID”, “Client Secret” and “Issuer URL”',
      mapping: claims,
      scopes: ['groups'],
      steps: [
        { text: 'In OneLogin’s Administration, open Applications, choose “Add App”, and search for “OpenId Connect (OIDC)”. Name it and save.' },
        {
          text: 'On the “Configuration” tab, fill in:',
          fields: [
            { label: 'Redirect URI’s', value: 'redirect' },
            { label: 'Post Logout Redirect URIs', value: 'afterLogout' },
          ],
        },
        { text: 'On the “SSO” tab, set “Application Type” to Web.' },
        { text: 'To pass groups, open the “Parameters” tab and set “Groups” to the roles or groups of the user.' },
        { text: 'Save, and give the app to the people who may sign in, for example by a role on the “Access” tab.' },
      ],
    },
  },
  jumpcloud: {
    name: 'JumpCloud',
    byAddress: true,
    mapping: named,
    steps: [
      { text: 'In the JumpCloud Admin Portal, open “SSO Applications”, choose “Add New Application”, then “Custom Application” with “Manage Single Sign-On (SSO)” and “Configure SSO with SAML”.' },
      {
        text: 'On the “SSO” tab, fill in. “IdP Entity ID” is yours to choose: any name that no other app has.',
        fields: [
          { label: 'SP Entity ID', value: 'entity' },
          { label: 'ACS URL', value: 'acs' },
          { label: 'SAMLSubject NameID', value: text('email') },
          { label: 'Signature Algorithm', value: text('RSA-SHA256') },
        ],
      },
      { text: 'Check “Sign Assertion” and “Declare Redirect Endpoint”.' },
      {
        text: 'Under “Attributes”, add:',
        fields: [
          { label: 'email', value: text('email') },
          { label: 'name', value: text('fullname') },
        ],
      },
      { text: 'To pass groups, check “include group attribute” with the name groups. Then, on “User Groups”, choose who may sign in.' },
    ],
    metadata: 'SSO tab › “Copy Metadata URL”, or “Export Metadata” for a file',
    scim: [{ text: 'On the “Identity Management” tab, configure SCIM with the address below and the token as “Token Key”:', fields: [{ label: 'Base URL', value: 'scim' }] }],
    oidc: {
      issuer: 'https://oauth.id.jumpcloud.com/',
      where: 'The dialog after “Activate” shows the id and the secret, this once. The issuer ends with a slash.',
      mapping: claims,
      scopes: [],
      steps: [
        { text: 'In the JumpCloud Admin Portal, open “SSO Applications”, choose “Add New Application”, then “Custom Application” with “Manage Single Sign-On (SSO)” and “Configure SSO with OIDC”.' },
        {
          text: 'On the “SSO” tab, choose the client authentication type “Client Secret Basic”, and fill in:',
          fields: [{ label: 'Redirect URIs', value: 'redirect' }],
        },
        { text: 'Under “Attribute Mapping”, check the standard scopes Email and Profile. To pass groups, check “include group attribute” with the name groups.' },
        { text: 'Activate, and on “User Groups” choose who may sign in.' },
      ],
    },
  },
  ping: {
    name: 'Ping',
    byAddress: true,
    mapping: named,
    steps: [
      { text: 'In PingOne, open Applications › Applications, add one, choose “SAML Application”, and configure it manually.' },
      {
        text: 'Fill in:',
        fields: [
          { label: 'ACS URLs', value: 'acs' },
          { label: 'Entity ID', value: 'entity' },
        ],
      },
      {
        text: 'On “Attribute Mappings”, keep saml_subject as “User ID” and add:',
        fields: [
          { label: 'email', value: text('Email Address') },
          { label: 'name', value: text('Formatted') },
          { label: 'groups', value: text('Group Names') },
        ],
      },
      { text: 'Switch the application on, and on “Access” choose the groups that may sign in.' },
    ],
    metadata: 'Configuration tab › “IdP Metadata URL”',
    scim: [{ text: 'Under Integrations › Provisioning, add a connection to an identity store of type SCIM outbound, with the address below and the token as the OAuth 2 bearer token:', fields: [{ label: 'SCIM BASE URL', value: 'scim' }] }],
    oidc: {
      issuer: 'https://auth.pingone.com/YOUR-ENVIRONMENT-ID/as',
      where: 'Overview or Configuration tab: “Client ID”, “Client Secret” and “Issuer ID”',
      mapping: claims,
      scopes: [],
      steps: [
        { text: 'In PingOne, open Applications › Applications, add one, and choose “OIDC Web App”.' },
        {
          text: 'On “Configuration”, keep the response type Code, and fill in:',
          fields: [
            { label: 'Redirect URIs', value: 'redirect' },
            { label: 'Signoff URLs', value: 'afterLogout' },
          ],
        },
        { text: 'On “Resources”, allow the scopes email and profile.' },
        { text: 'To pass groups, open “Attribute Mappings” and add groups, mapped to “Group Names”.' },
        { text: 'Switch the application on, and on “Access” choose the groups that may sign in.' },
      ],
    },
  },
  keycloak: {
    name: 'Keycloak',
    byAddress: true,
    mapping: named,
    steps: [
      {
        text: 'In the admin console of your realm, open Clients › “Create client” and choose the type SAML.',
        fields: [
          { label: 'Client ID', value: 'entity' },
          { label: 'Valid redirect URIs', value: 'acs' },
          { label: 'Master SAML Processing URL', value: 'acs' },
        ],
      },
      { text: 'In the client’s settings, switch “Sign assertions” on. On “Keys”, switch “Client signature required” off, or import the certificate from our metadata.' },
      {
        text: 'In “Client scopes”, open the client’s dedicated scope and add mappers of the type “User Property”. The SAML attribute names are:',
        fields: [
          { label: 'Property email', value: text('email') },
          { label: 'Property username', value: text('name') },
        ],
      },
      { text: 'To pass groups, add a mapper “Group list” with “Group attribute name” groups, and “Full group path” off.' },
    ],
    metadata: 'https://YOUR-HOST/realms/YOUR-REALM/protocol/saml/descriptor, linked on “Realm settings” › Endpoints',
    oidc: {
      issuer: 'https://YOUR-HOST/realms/YOUR-REALM',
      where: 'The id is the one that you chose. The secret is on the client’s tab Credentials. The issuer is on “Realm settings” › “OpenID Endpoint Configuration”.',
      mapping: claims,
      scopes: [],
      steps: [
        { text: 'In the admin console of your realm, open Clients › “Create client”, choose the type OpenID Connect, and a client id. Then switch “Client authentication” on, and leave “Standard flow” checked.' },
        {
          text: 'Under “Login settings”, fill in:',
          fields: [
            { label: 'Valid redirect URIs', value: 'redirect' },
            { label: 'Valid post logout redirect URIs', value: 'afterLogout' },
          ],
        },
        {
          text: 'In the client’s settings, under “Logout settings”, switch “Front channel logout” off and “Backchannel logout session required” on, and fill in:',
          fields: [{ label: 'Backchannel logout URL', value: 'backchannel' }],
        },
        { text: 'To pass groups, open “Client scopes” and the client’s dedicated scope, and add a mapper “Group Membership” with “Token Claim Name” groups, and “Full group path” off.' },
        { text: 'People need “Email verified”: an address that the realm does not vouch for is refused.' },
      ],
    },
  },
  adfs: {
    name: 'AD FS',
    byAddress: true,
    mapping: {
      email: 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress',
      name: 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name',
      groups: 'http://schemas.xmlsoap.org/claims/Group',
    },
    steps: [
      {
        text: 'In AD FS Management, choose “Add Relying Party Trust”, “Claims aware”, and import the data from our metadata:',
        fields: [{ label: 'Federation metadata address (host name or URL)', value: 'metadata' }],
      },
      {
        text: 'If your server cannot reach that address, choose “Enter data about the relying party manually”, enable the SAML 2.0 WebSSO protocol, and fill in:',
        fields: [
          { label: 'Relying party SAML 2.0 SSO service URL', value: 'acs' },
          { label: 'Relying party trust identifier', value: 'entity' },
        ],
      },
      { text: 'In “Edit Claim Issuance Policy”, add “Send LDAP Attributes as Claims”: E-Mail-Addresses as “E-Mail Address”, Display-Name as “Name”, and Token-Groups – Unqualified Names as “Group”.' },
      { text: 'Add “Transform an Incoming Claim”: “E-Mail Address” to “Name ID”, with the outgoing format “Email”.' },
    ],
    metadata: 'https://YOUR-HOST/FederationMetadata/2007-06/FederationMetadata.xml. If it is not public, download it and upload the file.',
  },
  generic: {
    name: 'Another identity provider',
    byAddress: true,
    mapping: { email: '', name: '', groups: '' },
    steps: [
      {
        text: 'Add a SAML 2.0 application, also called a service provider or relying party, to your identity provider. It takes our metadata, or these values:',
        fields: [
          { label: 'Metadata', value: 'metadata' },
          { label: 'Entity ID, Audience or Issuer of the service provider', value: 'entity' },
          { label: 'Assertion Consumer Service (ACS), Reply or Recipient URL', value: 'acs' },
        ],
      },
      { text: 'Have it sign the assertions with SHA-256 or better, and answer by HTTP POST.' },
      { text: 'Have the Name ID be something that never changes for a person, such as a persistent identifier.' },
      { text: 'Have it state the person’s e-mail address, for example as the attribute email. Give the people who may sign in access to the application.' },
    ],
    metadata: 'Your provider’s metadata, as an address or an XML file',
    scim: [{ text: 'Where your provider can push users by SCIM 2.0, give it this address and the token as the bearer token:', fields: [{ label: 'Base URL', value: 'scim' }] }],
    oidc: {
      issuer: 'https://login.example.com',
      where: 'The issuer is the text issuer in your provider’s discovery document, which is at the issuer’s address with /.well-known/openid-configuration behind it.',
      mapping: claims,
      scopes: [],
      steps: [
        {
          text: 'Register a confidential web application, also called a client or relying party, with the authorization code flow and a client secret:',
          fields: [
            { label: 'Redirect URI, callback URL', value: 'redirect' },
            { label: 'Post-logout redirect URI', value: 'afterLogout' },
          ],
        },
        { text: 'If it has back-channel logout, sign-outs there end the sessions here:', fields: [{ label: 'Back-channel logout URI', value: 'backchannel' }] },
        { text: 'Allow the scopes openid, email and profile. The address of people has to be verified, or nothing be said about that.' },
        { text: 'Give the people who may sign in access to the application, and yourself for the test.' },
      ],
    },
  },
}
