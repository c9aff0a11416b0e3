// SimpleSAMLphp as an identity provider, on PHP's own web server.
import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { installed, Program } from './process.js'

const php = (value) =>
  Array.isArray(value) ? `[${value.map(php).join(', ')}]`
  : typeof value === 'object' ? `[${Object.entries(value).map(([k, v]) => `${php(k)} => ${php(v)}`).join(', ')}]`
  : typeof value === 'string' ? `'${value.replace(/[\\']/g, '\\$&')}'`
  : String(value)

export class SimpleSAMLphp extends Program {
  static encrypts = true
  static portal = true
  static formats = ['persistent']

  /** Starts it with people, {login: {password, email, name, groups}}, and the metadata of services. */
  static async start({ people, services }) {
    const idp = await this.open('simplesamlphp')
    await idp.key()
    for (const name of ['metadata', 'log', 'data', 'tmp', 'sessions']) await mkdir(join(idp.folder, `${name}.d`))
    const at = (name) => join(idp.folder, name)
    const write = (name, assignment) => writeFile(at(name), `<?php\n${assignment};\n`)
    await Promise.all(services.map((xml, i) => writeFile(at(`service${i}.xml`), xml)))
    await write('config.php', `$config = ${php({
      baseurlpath: `${idp.url}/`, certdir: `${idp.folder}/`, loggingdir: at('log.d/'), datadir: at('data.d/'), tempdir: at('tmp.d'),
      secretsalt: randomBytes(16).toString('hex'), 'auth.adminpassword': randomBytes(16).toString('hex'), timezone: 'UTC',
      technicalcontact_email: 'admin@acme.example', 'logging.handler': 'errorlog', 'logging.level': 5,
      'enable.saml20-idp': true, 'module.enable': { exampleauth: true, core: true, saml: true },
      'session.phpsession.savepath': at('sessions.d'), 'session.cookie.secure': false, 'store.type': 'phpsession',
      'metadata.sources': [{ type: 'flatfile', directory: at('metadata.d') }, ...services.map((_, i) => ({ type: 'xml', file: at(`service${i}.xml`) }))],
    })}`)
    await write('authsources.php', `$config = ${php({
      people: {
        0: 'exampleauth:UserPass',
        ...Object.fromEntries(Object.entries(people).map(([login, { password, email, name, groups }]) =>
          [`${login}:${password}`, { uid: [login], mail: [email], displayName: [name], groups }])),
      },
    })}`)
    await idp.configure({})
    await idp.start('/usr/bin/php8.2', ['-d', 'variables_order=EGPCS', '-d', 'opcache.revalidate_freq=0', '-S', `127.0.0.1:${idp.port}`, '-t', join(installed, 'usr/share/simplesamlphp/www')],
      { SIMPLESAMLPHP_CONFIG_DIR: idp.folder }, '/saml2/idp/metadata.php')
    idp.metadataURL = `${idp.url}/saml2/idp/metadata.php`
    return idp
  }

  /** Changes the settings of the identity provider, from its next request on. */
  configure(settings) {
    return writeFile(join(this.folder, 'metadata.d/saml20-idp-hosted.php'), `<?php\n$metadata['${this.url}/'] = ${php({
      host: '__DEFAULT__', privatekey: 'key.pem', certificate: 'cert.pem', auth: 'people', 'userid.attribute': 'uid',
      'validate.authnrequest': true, 'sign.logout': true, 'validate.logout': true, 'redirect.sign': true,
      sharedkey_algorithm: 'http://www.w3.org/2009/xmlenc11#aes128-gcm',
      ...settings,
    })};\n`)
  }

  /** Fills its page for login. */
  async login(page, login, password) {
    await page.fill('[name=username]', login)
    await page.fill('[name=password]', password)
    await page.click('#regularsubmit button, #submit_button, button[type=submit]')
  }

  /** Waits until it has said that login or password are wrong. */
  refused(page) {
    return page.until('/Incorrect username or password/.test(document.body.innerText)')
  }

  /** Waits until it has refused a request. */
  rejected(page) {
    return page.until('/Unhandled exception|error report/i.test(document.body.innerText) && !document.querySelector("input[type=password]")')
  }

  encrypt(on) {
    return this.configure({ 'assertion.encryption': on })
  }

  /** Begins at the provider, as a link of a portal does. */
  async fromPortal(page, project, login, password, target) {
    const query = new URLSearchParams({ spentityid: `${project.url}/auth/v1/sso/saml/metadata`, ...(target && { RelayState: target }) })
    await page.go(`${this.url}/saml2/idp/SSOService.php?${query}`)
    await this.login(page, login, password)
  }

  get logoutAddress() {
    return `${this.url}/saml2/idp/SingleLogoutService.php?${new URLSearchParams({ ReturnTo: `${this.url}/logout.php` })}`
  }

  /** Logs out at the provider, and waits until it has finished. */
  async logout(page) {
    await page.go(this.logoutAddress)
    await page.until(`location.pathname === "/logout.php" && document.readyState === "complete"`)
  }
}
