// Package signup is POST /signup: a new user by a password and an e-mail address or a
// phone number. What is said of addresses and mails holds for numbers and text
// messages.
//
//  1. The request is validated and the password is hashed, whether or not the
//     address has a user.
//  2. One transaction looks up the address and locks its user. If there is none,
//     it writes user and identity and, without autoconfirm, a one-time token and
//     its mail. If there is an unconfirmed one, the user is not changed, because no
//     sign-up has proved ownership of the address: password and data of the
//     sign-up are kept apart, with a token of their own, and become the user's if
//     that token confirms the address.
//  3. With autoconfirm the answer is a session. A taken address is refused, unless
//     its user never confirmed the sign-up. Without autoconfirm the answer is a
//     user. For a taken address it is an obfuscated one, so that the answer does
//     not reveal whether a user exists.
package signup
