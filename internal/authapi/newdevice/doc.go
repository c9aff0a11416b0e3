// Package newdevice mails users about sign-ins from devices that they had not used
// before, with a link that ends the session.
//
//  1. Before the session of a sign-in is written, the devices of the user are read: those
//     noted at sign-ins, and if there are none, those of their sessions, ended ones
//     included. The first sign-in of a user, which knows none, is only noted.
//  2. A device is what its client says of itself, without versions, and its country
//     where the operator has a database of places. It is for the user to recognise, and
//     nothing is decided by it: a thief can say what they like, and then gets no mail.
//  3. The mail and its link are written in the transaction of the session. A user gets
//     few of these mails a day; the project's limit of mails counts them too, and a
//     sign-in never fails because of it.
//  4. The link shows a page. Only its button ends the session, because scanners of mails
//     open links. A link that is unknown, used or expired is refused alike.
//  5. Second factors and passkeys that were added in the session go with it, and with them
//     the sessions that they proved. Flows that add one note the session for that.
package newdevice
