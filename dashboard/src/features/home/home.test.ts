import { describe, expect, test } from 'vitest'
import type { Lint } from './advisors'
import { concernsOf, type Service } from './attention'
import { snippets } from './snippet'
import { grouped, largest, type Point } from './usage'

const lint = (level: Lint['level'], title: string): Lint => ({ name: title, title, level, facing: 'EXTERNAL', categories: [], description: '', detail: 'd', remediation: '', fix: null, metadata: { type: 'auth' }, cache_key: title })
const service = (part: Partial<Service>): Service => ({ name: 'auth', healthy: true, status: 'ACTIVE_HEALTHY', ...part })

describe('what needs attention', () => {
  test('what is down comes first, then errors, then warnings; what is for information never', () => {
    const finding = (level: 'info' | 'warning' | 'error', message: string) => ({ code: message, level, message })
    const services = [service({ findings: [finding('warning', 'slow'), finding('info', 'captured'), finding('error', 'mails fail')] }), service({ name: 'db', healthy: false, status: 'UNHEALTHY', error: 'no connection' })]
    const lints = [lint('INFO', 'note'), lint('WARN', 'short passwords'), lint('ERROR', 'no policies')]
    expect(concernsOf(services, lints).map((c) => c.text)).toEqual(['Database does not work: no connection', 'mails fail', 'no policies', 'slow', 'short passwords'])
    expect(concernsOf([service({})], [])).toEqual([])
  })
})

test('kinds beyond the largest are counted together', () => {
  const points = [{ sign_ins_by_method: { password: 5, otp: 1 } }, { sign_ins_by_method: { oauth: 9, sso: 2 } }] as unknown as Point[]
  const keys = largest(points, (p) => p.sign_ins_by_method, 2)
  expect(keys).toEqual(['oauth', 'password'])
  expect(points.map((p) => grouped(p.sign_ins_by_method, keys))).toEqual([
    { oauth: 0, password: 5, other: 1 },
    { oauth: 9, password: 0, other: 2 },
  ])
})

test('values cannot end the strings of a snippet', () => {
  const [first] = snippets({ ref: 'abc', url: "http://x/'\\", key: 'k' })
  expect(first?.code).toContain(`createClient('http://x/\\'\\\\', 'k'`)
})
