// A DNS server with the TXT records that a test sets, where Reeve asks for those that
// prove domains.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'

const TXT = 16
const notFound = 3 // NXDOMAIN

export class Dns {
  #records = new Map()

  /** Starts it at the address that run.sh has given to Reeve as its resolver. One test can have it at a time. */
  static async open() {
    if (!process.env.REEVE_DNS) throw new Error('REEVE_DNS is not set: run ./run.sh')
    const [host, port] = process.env.REEVE_DNS.split(':')
    const dns = new Dns()
    dns.socket = createSocket('udp4')
    dns.socket.on('message', (query, from) => dns.socket.send(dns.#answer(query), from.port, from.address))
    dns.socket.bind(Number(port), host)
    await once(dns.socket, 'listening')
    return dns
  }

  close() {
    this.socket.close()
  }

  /** Sets the TXT records of a name, of at most 255 bytes each; none remove it. */
  set(name, ...records) {
    this.#records.set(name.toLowerCase(), records)
  }

  // Answers the one question of a query (RFC 1035, section 4).
  #answer(query) {
    const labels = []
    let at = 12
    for (let n = query[at++]; n > 0; n = query[at++]) labels.push(query.toString('latin1', at, (at += n)))
    const question = query.subarray(12, at + 4)
    const found = this.#records.get(labels.join('.').toLowerCase()) ?? []
    const answers = query.readUInt16BE(at) === TXT ? found : []
    const head = Buffer.alloc(12)
    query.copy(head, 0, 0, 2) // the id
    head.writeUInt16BE(0x8580 | (found.length ? 0 : notFound), 2) // a response, authoritative, recursion
    head.writeUInt16BE(1, 4)
    head.writeUInt16BE(answers.length, 6)
    return Buffer.concat([head, question, ...answers.flatMap((text) => {
      const data = Buffer.from(text)
      const record = Buffer.alloc(13) // the name of the question, TXT, IN, one second, the length of the data and of the text
      record.writeUInt16BE(0xc00c, 0)
      record.writeUInt16BE(TXT, 2)
      record.writeUInt16BE(1, 4)
      record.writeUInt32BE(1, 6)
      record.writeUInt16BE(data.length + 1, 10)
      record[12] = data.length
      return [record, data]
    })])
  }
}
