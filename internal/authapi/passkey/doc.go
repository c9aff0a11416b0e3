// Package passkey serves passkeys: POST /passkeys/registration/{options,verify},
// POST /passkeys/authentication/{options,verify}, /passkeys, /passkeys/{id}, and
// /admin/users/{id}/passkeys.
//
// Both ceremonies take two requests. The first one writes a row with the challenge,
// the second one deletes that row before anything else, so that a response is
// tried once.
//
//  1. A signed-in user registers a passkey: the authenticator makes a key for the
//     project's relying party, and keeps who the user is.
//  2. Anybody begins a sign-in. The options are the same for everybody.
//  3. The response names a credential and proves it. Every response that proves
//     none gets the same answer: that of an unknown credential, of a deleted or
//     banned user, of a wrong signature.
//  4. Within session.SignIn the credential is read again, locked. A counter that has
//     not gone up means that the key may have been copied: the sign-in is refused,
//     and the passkey carries a warning from then on. It is not switched off: an
//     authenticator that was restored, or two responses that overtake each other,
//     look the same.
//
// With a verified second factor, adding and removing a passkey needs an aal2
// session.
package passkey
