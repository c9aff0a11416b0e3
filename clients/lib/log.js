// The log of a project, as its developers read it.
import { setTimeout as sleep } from 'node:timers/promises'
import { manage } from './reeve.js'

/** Reads the entries of a project, each once. */
export class ProjectLog {
  #read = new Set()

  constructor(project) {
    this.path = `/v1/projects/${project.ref}/logs`
  }

  /** The entries that were not read yet, the oldest first; waits for the first one. Entries appear after about a second. */
  async next() {
    for (const deadline = Date.now() + 15000; Date.now() < deadline; await sleep(100)) {
      const { logs } = await manage('GET', this.path)
      const unread = logs.filter(({ id }) => !this.#read.has(id)).reverse()
      for (const { id } of unread) this.#read.add(id)
      if (unread.length > 0) return unread
    }
    throw new Error('nothing was logged')
  }
}
