// An identity provider on pySAML2, with pages of our own. It signs assertions alone,
// calls users by their address, and statements by object identifiers.
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Program } from './process.js'

const script = fileURLToPath(new URL('pysaml2_idp.py', import.meta.url))

export class PySAML2 extends Program {
  static portal = true
  static formats = ['persistent', 'email']

  /** Starts it with people and the metadata of services. */
  static async start({ people, services }) {
    const idp = await this.open('pysaml2')
    await idp.key()
    await writeFile(join(idp.folder, 'people.json'), JSON.stringify(people))
    await Promise.all(services.map((xml, i) => writeFile(join(idp.folder, `service${i}.xml`), xml)))
    await idp.start('/usr/bin/python3', ['-u', script, idp.folder, String(idp.port)], {}, '/metadata')
    idp.metadataURL = `${idp.url}/metadata`
    return idp
  }

  async login(page, login, password) {
    await page.fill('[name=login]', login)
    await page.fill('[name=password]', password)
    await page.click('button')
  }

  refused(page) {
    return page.until('/password is wrong/.test(document.body.innerText)')
  }

  /** Waits until it has refused a request. */
  rejected(page) {
    return page.until('document.title === "Refused"')
  }

  encrypt(on) {
    const file = join(this.folder, 'encrypt')
    return on ? writeFile(file, '') : rm(file)
  }

  async fromPortal(page, project, login, password) {
    const query = new URLSearchParams({ service: `${project.url}/auth/v1/sso/saml/metadata` })
    await page.go(`${this.url}/portal?${query}`)
    await this.login(page, login, password)
  }

  get logoutAddress() {
    return `${this.url}/logout`
  }

  /** Logs out at the provider, and waits until it has finished. */
  async logout(page) {
    await page.go(this.logoutAddress)
    await page.until('document.title === "Logged out"')
  }
}
