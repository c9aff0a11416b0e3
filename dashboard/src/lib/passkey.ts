// Passkeys of this browser (WebAuthn), with options and answers in JSON.

/** Whether this browser can use passkeys here. */
export const passkeysWork = () => typeof PublicKeyCredential === 'function' && 'parseCreationOptionsFromJSON' in PublicKeyCredential

const inner = (options: unknown) => (typeof options === 'object' && options !== null && 'publicKey' in options ? options.publicKey : options)

const toJSON = (made: Credential | null): Record<string, unknown> => {
  if (!(made instanceof PublicKeyCredential)) throw new DOMException('no passkey was chosen', 'NotAllowedError')
  return made.toJSON() as Record<string, unknown>
}

/** Asks the device to make a passkey. */
export async function makePasskey(options: unknown) {
  return toJSON(await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(inner(options) as PublicKeyCredentialCreationOptionsJSON) }))
}

/** Asks the device to prove one. */
export async function provePasskey(options: unknown) {
  return toJSON(await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(inner(options) as PublicKeyCredentialRequestOptionsJSON) }))
}
