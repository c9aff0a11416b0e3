// Package customprovider is the administration of the identity providers that a
// project defines itself: list, create, read, change and delete. It owns the
// rules for a definition. Package idp reads the definitions when somebody signs
// in.
//
// No provider is asked when it is defined, so an address that does not answer, or
// that outbound calls may not reach, fails when somebody signs in.
package customprovider
