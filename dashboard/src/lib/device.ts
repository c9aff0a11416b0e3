// What a user agent is, in words: enough to tell one's phone from one's laptop.
import { user as t } from '@/strings/user'

const browsers: [RegExp, string][] = [
  [/\bEdgA?\/|\bEdgiOS\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\b(Firefox|FxiOS)\//, 'Firefox'],
  [/\b(HeadlessChrome|Chrome|CriOS)\//, 'Chrome'],
  [/\bVersion\/\S+.*\bSafari\//, 'Safari'],
]
const systems: [RegExp, string][] = [
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bMac OS X\b|\bMacintosh\b/, 'macOS'],
  [/\bLinux\b/, 'Linux'],
]
const clients: [RegExp, string][] = [
  [/^okhttp\/|\bDalvik\//, 'Android app'],
  [/\bCFNetwork\//, 'iOS or macOS app'],
  [/^Dart\//, 'Flutter app'],
  [/^(node|undici)\b/i, 'Node.js'],
  [/^Deno\//, 'Deno'],
  [/^Bun\//, 'Bun'],
  [/^python|^httpx\//i, 'Python'],
  [/^Go-http-client\//, 'Go'],
  [/^curl\//, 'curl'],
  [/^PostmanRuntime\//, 'Postman'],
]

const find = (table: [RegExp, string][], agent: string) => table.find(([pattern]) => pattern.test(agent))?.[1]

/** "Safari on iPhone", "Node.js", or the beginning of what the client says of itself. */
export function deviceOf(agent: string): string {
  if (!agent) return t.sessions.unknown
  const client = find(clients, agent)
  if (client) return client
  const [browser, system] = [find(browsers, agent), find(systems, agent)]
  if (browser && system) return `${browser} on ${system}`
  return browser ?? system ?? (agent.length > 40 ? `${agent.slice(0, 40)}…` : agent)
}
