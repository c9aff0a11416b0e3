// LemonLDAP::NG as an identity provider: its portal under Starman.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installed, Program } from './process.js'

const psgi = fileURLToPath(new URL('lemonldap.psgi', import.meta.url))
const domain = 'acme.localhost'
const basic = 'urn:oasis:names:tc:SAML:2.0:attrname-format:basic'

export class LemonLDAP extends Program {
  static encrypts = true
  static portal = true
  static frames = true
  static formats = ['persistent', 'email']

  /** Starts it with people and the metadata of services. */
  static async start({ people, services }) {
    const idp = await this.open('lemonldap')
    idp.url = `http://auth.${domain}:${idp.port}` // its cookies are for a domain, which no address is
    await idp.key()
    idp.services = services
    for (const name of ['conf', 'sessions', 'sessions/lock', 'psessions', 'psessions/lock']) await mkdir(join(idp.folder, name))
    const at = (name) => join(idp.folder, name)
    await writeFile(at('people.json'), JSON.stringify(people))
    await writeFile(at('lemonldap-ng.ini'), `[all]
logLevel = notice
checkTime = 1
[configuration]
type = File
dirName = ${at('conf')}
[portal]
staticPrefix = /static
templateDir = ${installed}/usr/share/lemonldap-ng/portal/templates
languages = en
`)
    await idp.configure('none')
    await idp.run()
    idp.metadataURL = `${idp.url}/saml/metadata`
    return idp
  }

  run() {
    const share = join(installed, 'usr/share')
    // Several processes, because browsers keep connections open that they do not use yet.
    return this.start('/usr/bin/starman', ['--listen', `127.0.0.1:${this.port}`, '--workers', '3', '--disable-keepalive', '--preload-app', psgi], {
      LLNG_DEFAULTCONFFILE: join(this.folder, 'lemonldap-ng.ini'), LLNG_PEOPLE: join(this.folder, 'people.json'),
      LLNG_HTDOCS: join(share, 'lemonldap-ng/portal/htdocs'), PERL5LIB: join(share, 'perl5'), PLACK_ENV: 'deployment',
    }, '/saml/metadata')
  }

  /** Writes its configuration; mode says what it encrypts. */
  async configure(mode) {
    const service = (make) => Object.fromEntries(this.services.map((xml, i) => [`service${i}`, make(xml)]))
    const storage = (name) => ({
      Directory: join(this.folder, name), LockDirectory: join(this.folder, name, 'lock'),
      generateModule: 'Lemonldap::NG::Common::Apache::Session::Generate::SHA256',
    })
    await writeFile(join(this.folder, 'conf/lmConf-1.json'), JSON.stringify({
      cfgNum: 1, cfgAuthor: 'tests', cfgDate: '1700000000', cfgVersion: '2.16.1', portal: `${this.url}/`, domain,
      securedCookie: 0, handlerInternalCache: 0, sameSite: 'Lax', authentication: 'Demo', userDB: 'Same', passwordDB: 'Null', registerDB: 'Null', whatToTrace: '_whatToTrace',
      macros: { _whatToTrace: '$_user' }, globalStorage: 'Apache::Session::File', globalStorageOptions: storage('sessions'),
      persistentStorage: 'Apache::Session::File', persistentStorageOptions: storage('psessions'),
      locationRules: { [`auth.${domain}`]: { default: 'accept' } }, applicationList: {}, captcha: '::Captcha::None',
      issuerDBSAMLActivation: 1, samlServicePrivateKeySig: await this.text('key.pem'), samlServicePublicKeySig: await this.text('cert.pem'),
      samlServiceUseCertificateInResponse: 1,
      samlSPMetaDataXML: service((xml) => ({ samlSPMetaDataXML: xml })),
      samlSPMetaDataExportedAttributes: service(() => ({ mail: `1;mail;${basic};`, cn: `0;displayName;${basic};`, groups: `0;groups;${basic};` })),
      samlSPMetaDataOptions: service(() => ({
        samlSPMetaDataOptionsNameIDFormat: 'persistent', samlSPMetaDataOptionsEncryptionMode: mode,
        samlSPMetaDataOptionsSignSSOMessage: 1, samlSPMetaDataOptionsCheckSSOMessageSignature: 1,
        samlSPMetaDataOptionsSignSLOMessage: 1, samlSPMetaDataOptionsCheckSLOMessageSignature: 1,
        samlSPMetaDataOptionsEnableIDPInitiatedURL: 1,
      })),
    }))
  }

  async login(page, login, password) {
    await page.fill('[name=user]', login)
    await page.fill('[name=password]', password)
    await page.click('form#lform [type=submit]')
  }

  refused(page) {
    return page.find('[trmsg="5"]') // PE_BADCREDENTIALS
  }

  /** Waits until it has refused a request, which it does after the login. */
  async rejected(page, login, password) {
    await this.login(page, login, password)
    await page.find('[trmsg="57"]') // PE_SAML_SIGNATURE_ERROR
  }

  async encrypt(on) {
    await this.configure(on ? 'assertion' : 'none')
    await this.end()
    await this.run()
  }

  async fromPortal(page, project, login, password) {
    const query = new URLSearchParams({ IDPInitiated: 1, sp: `${project.url}/auth/v1/sso/saml/metadata` })
    await page.go(`${this.url}/saml/singleSignOn?${query}`)
    await this.login(page, login, password)
  }

  get logoutAddress() {
    return `${this.url}/?logout=1`
  }

  /** Leaves the page on which it tells the other services, when it has told them. */
  async through(page) {
    await page.until('document.readyState === "complete" && !!document.querySelector("iframe")')
    await page.click('form#form .positive')
  }

  /** Logs out at the provider, and waits until it has finished. */
  async logout(page) {
    await page.go(this.logoutAddress)
    await this.through(page)
    await page.find('[trmsg="47"]') // PE_LOGOUT_OK
  }
}
