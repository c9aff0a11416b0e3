// The log of a project, as its developers read it.
import { setTimeout as sleep } from 'node:timers/promises'
import { manage } from './reeve.js'

/** Reads the entries of a project, each once. */
export class ProjectLog {
  #read = new Set()

  constructor(project) {
    this.path = `/v1/projects/${project.ref}/logs`
  }

  /** The n entries, equal ones counted, that were not read yet, the oldest first; waits for them. */
  async next(n = 1) {
    const entries = []
    for (const deadline = Date.now() + 15000; Date.now() < deadline; await sleep(100)) {
      const { logs } = await manage('GET', this.path)
      const unread = logs.filter(({ id }) => !this.#read.has(id)).reverse()
      for (const { id } of unread) this.#read.add(id)
      entries.push(...unread)
      if (entries.reduce((sum, { count }) => sum + count, 0) >= n) return entries
    }
    throw new Error(`of ${n} entries there are ${JSON.stringify(entries)}`)
  }
}
