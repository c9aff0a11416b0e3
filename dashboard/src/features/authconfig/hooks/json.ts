// Texts of hooks that may be JSON, or cut off.

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** JSON with its lines indented; any other text as it is. */
export function indented(text: string): string {
  const value = parsed(text)
  return value === undefined ? text : JSON.stringify(value, null, 2)
}

/** The claims in an event or in an answer. */
export function claimsOf(message: unknown): Record<string, unknown> | undefined {
  const value = typeof message === 'string' ? parsed(message) : message
  const claims = value && typeof value === 'object' && 'claims' in value ? value.claims : undefined
  return claims && typeof claims === 'object' ? { ...claims } : undefined
}
