// Package relyingparty is the relying party of WebAuthn (Level 3) for one project:
// it begins ceremonies and verifies how they end. It knows neither tables nor
// routes: flows keep the data of a ceremony between its two requests, and use it
// once.
//
// Responses come from anybody. They are bounded before they are parsed, and every
// fault of one is auth.ErrWebAuthn, whose cause is for logs.
package relyingparty
