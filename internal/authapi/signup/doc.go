// Package signup is POST /signup: a new user by e-mail and password.
//
//  1. The request is validated and the password hashed, whoever has the address.
//  2. One transaction looks the address up, locked. Nobody has it: user,
//     identity, and, unless the project confirms by itself, a one-time token and
//     its mail are written. Somebody unconfirmed has it: the mail goes out again
//     and nothing of the user changes, as nobody proved to own the address.
//  3. With autoconfirm the answer is a session; a taken address is a refusal,
//     unless it was taken by a sign-up that nobody ever confirmed.
//     Without it the answer is a user, also for a taken address: then it is an
//     obfuscated one, so that the answer tells nothing.
package signup
