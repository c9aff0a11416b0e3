/** A path of this app, and of no other host; undefined for anything else. */
export const localPath = (path: unknown) => (typeof path === 'string' && /^\/(?![/\\])[^\s\\]*$/.test(path) ? path : undefined)
