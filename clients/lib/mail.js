// The captured inbox of a project, read as its users would read their mail.
import { setTimeout as sleep } from 'node:timers/promises'
import { manage } from './reeve.js'

/** Reads the mails of a project one after the other, each once. */
export class Inbox {
  #read = new Set()

  constructor(project) {
    this.path = `/v1/projects/${project.ref}/inbox`
  }

  list() {
    return manage('GET', this.path)
  }

  /** Gives the newest mail to an address that was not read yet, and waits for it. */
  async next(to) {
    for (const deadline = Date.now() + 15000; Date.now() < deadline; await sleep(50)) {
      const mail = (await this.list()).find((m) => m.to === to && !this.#read.has(m.id))
      if (mail) {
        this.#read.add(mail.id)
        return mail
      }
    }
    throw new Error(`no mail came to ${to}`)
  }
}

/** The link that a mail is about. */
export function verifyLink(mail) {
  const link = mail.links.find((l) => l.includes('/auth/v1/verify?'))
  if (!link) throw new Error(`no verify link in the mail "${mail.subject}": ${mail.links}`)
  return link
}
